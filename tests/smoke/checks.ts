import {
  acceptsToken,
  checkClock,
  checkLive,
  checkReady,
  checkScopes,
  rejectsMissingToken,
  rejectsOtherTenant,
  rejectsUnsignedToken,
} from "./access.ts";
import { call, type Target } from "./call.ts";
import { acceptsDeskToken, checkDeskClock, findsApi, reachesDesk } from "./desk/connection.ts";
import { createsTicket, hasDesk } from "./desk/handoff.ts";
import { findsField, findsQueue, mayCreateTickets } from "./desk/queue.ts";
import { hasReference } from "./desk/reference_field.ts";
import { type DeskSettings, readDeskSettings } from "./desk/settings.ts";
import { type Finding, skipped, type Smoke } from "./finding.ts";
import { type Env, readSettings } from "./settings.ts";
import {
  checkPublicUrl,
  isEmpty,
  rejectsKeyReuse,
  replaysRetry,
  showsLatest,
  storesRequest,
} from "./storage.ts";

interface Check {
  name: string;
  /** What is true if the check passes. */
  title: string;
  /** A check without which this one could only fail for the same reason. */
  needs?: string;
  run(smoke: Smoke): Promise<Finding> | Finding;
}

const SERVICE: Check[] = [
  { name: "livez", title: "Deskhand responds", run: checkLive },
  {
    name: "clock",
    title: "Deskhand's clock agrees with this machine's",
    needs: "livez",
    run: checkClock,
  },
  { name: "readyz", title: "Deskhand can store requests", needs: "livez", run: checkReady },
  {
    name: "no-token",
    title: "a call without a token is rejected",
    needs: "livez",
    run: rejectsMissingToken,
  },
  {
    name: "unsigned-token",
    title: "an unsigned token is rejected",
    needs: "livez",
    run: rejectsUnsignedToken,
  },
  { name: "token", title: "the token is accepted", needs: "livez", run: acceptsToken },
  {
    name: "other-tenant",
    title: "a tenant that the token does not name is rejected",
    needs: "token",
    run: rejectsOtherTenant,
  },
  { name: "scopes", title: "the token may submit and read", needs: "token", run: checkScopes },
  { name: "empty", title: "a new run has no latest request", needs: "scopes", run: isEmpty },
  { name: "submit", title: "a submission is stored", needs: "scopes", run: storesRequest },
  { name: "replay", title: "a retry returns the same request", needs: "submit", run: replaysRetry },
  {
    name: "key-reuse",
    title: "its key with another body is rejected",
    needs: "submit",
    run: rejectsKeyReuse,
  },
  { name: "latest", title: "it is the run's latest request", needs: "submit", run: showsLatest },
];

const PUBLIC_URL: Check = {
  name: "public-url",
  title: "PUBLIC_URL leads to this Deskhand",
  needs: "latest",
  run: checkPublicUrl,
};

/** These send only GET requests from this machine to RT, with the settings of this machine. */
const DESK: Check[] = [
  { name: "rt", title: "RT can be reached", run: reachesDesk },
  { name: "rt-api", title: "RT's REST API is there", needs: "rt", run: findsApi },
  {
    name: "rt-clock",
    title: "RT's clock agrees with this machine's",
    needs: "rt-api",
    run: checkDeskClock,
  },
  { name: "rt-token", title: "RT accepts the token", needs: "rt-api", run: acceptsDeskToken },
  { name: "rt-queue", title: "RT has the queue", needs: "rt-token", run: findsQueue },
  {
    name: "rt-right",
    title: "RT lets Deskhand's user create tickets in it",
    needs: "rt-queue",
    run: mayCreateTickets,
  },
  {
    name: "rt-field",
    title: "RT has the custom field in the queue",
    needs: "rt-queue",
    run: findsField,
  },
];

const HANDOFF: Check[] = [
  { name: "desk", title: "Deskhand has a desk", needs: "empty", run: hasDesk },
  { name: "ticket", title: "Deskhand creates a ticket at RT", needs: "desk", run: createsTicket },
  {
    name: "reference-field",
    title: "the ticket's custom field has the reference",
    needs: "ticket",
    run: hasReference,
  },
];

export type CheckResult =
  & { name: string; title: string; ms: number; requestId: string }
  & (
    | Finding
    /** What the check needs has failed. */
    | { outcome: "not_run" }
  );

export interface SmokeOptions {
  target: Target;
  /** Whether to create a real ticket. */
  handoff: "none" | "create";
  env: Env;
}

/** Runs the checks one after the other, and yields each result when it is there. */
export async function* runChecks(
  { target, handoff, env }: SmokeOptions,
): AsyncGenerator<CheckResult> {
  const desk = readDeskSettings(env);
  const smoke: Smoke = {
    target,
    settings: readSettings(env),
    desk: "missing" in desk ? null : desk,
    call: () => Promise.reject(new Error("No check is running")),
  };
  const passed = new Set<string>();
  for (const { name, title, needs, run } of chooseChecks(smoke, handoff, desk, env)) {
    const requestId = `${target.runId}-${name}`;
    if (needs !== undefined && !passed.has(needs)) {
      yield { name, title, ms: 0, requestId, outcome: "not_run" };
      continue;
    }
    smoke.call = (path, options) => call(target, path, { ...options, requestId });
    const started = performance.now();
    const finding = await run(smoke);
    if (finding.outcome === "ok") passed.add(name);
    else if (name.startsWith("rt") && finding.outcome === "failed") smoke.deskFailed = true;
    yield { name, title, ms: Math.round(performance.now() - started), requestId, ...finding };
  }
}

function chooseChecks(
  { settings }: Smoke,
  handoff: SmokeOptions["handoff"],
  desk: DeskSettings | { missing: string[] },
  env: Env,
): Check[] {
  const checks = [...SERVICE];
  if (settings.publicUrl !== undefined) checks.push(PUBLIC_URL);
  if (!("missing" in desk)) checks.push(...DESK);
  else if (handoff === "create" || env.SUPPORT_DESK_URL !== undefined) {
    const note = "RT is not checked from here. Set these as this Deskhand has them, in the " +
      `environment or in .env: ${desk.missing.join(", ")}`;
    checks.push({ name: "rt", title: "RT can be reached", run: () => skipped(note) });
  }
  if (handoff === "create") checks.push(...HANDOFF);
  return checks;
}
