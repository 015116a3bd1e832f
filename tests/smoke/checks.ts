import { call, type Target } from "./call.ts";
import type { Finding, Smoke } from "./finding.ts";
import {
  hasDesk,
  isEmpty,
  keeps,
  leavesReference,
  makesTicket,
  refusesKeyReuse,
  replays,
  showsLatest,
} from "./submissions.ts";
import {
  acceptsToken,
  hasScopes,
  isLive,
  isReady,
  refusesNoToken,
  refusesOtherTenant,
  refusesUnsigned,
} from "./who_may.ts";

interface Check {
  name: string;
  /** What holds where the check is well. */
  title: string;
  /** The check without which this one could only fail for the same reason. */
  needs?: string;
  run(smoke: Smoke): Promise<Finding> | Finding;
}

const KEEPING: Check[] = [
  { name: "livez", title: "it answers", run: isLive },
  { name: "readyz", title: "it can keep requests", needs: "livez", run: isReady },
  { name: "no-token", title: "no token is refused", needs: "livez", run: refusesNoToken },
  {
    name: "unsigned-token",
    title: "a token that nobody signed is refused",
    needs: "livez",
    run: refusesUnsigned,
  },
  { name: "token", title: "the token is accepted", needs: "livez", run: acceptsToken },
  {
    name: "other-tenant",
    title: "a tenant that is not in the token is refused",
    needs: "token",
    run: refusesOtherTenant,
  },
  { name: "scopes", title: "the token may submit and read", needs: "token", run: hasScopes },
  { name: "empty", title: "a new run has no latest request", needs: "scopes", run: isEmpty },
  { name: "submit", title: "a submission is kept", needs: "scopes", run: keeps },
  { name: "replay", title: "its repetition is the same request", needs: "submit", run: replays },
  {
    name: "key-reuse",
    title: "its key with another body is refused",
    needs: "submit",
    run: refusesKeyReuse,
  },
  { name: "latest", title: "it is the run's latest", needs: "submit", run: showsLatest },
];

const HANDING_OFF: Check[] = [
  { name: "desk", title: "a desk is configured", needs: "empty", run: hasDesk },
  { name: "ticket", title: "a ticket is made there", needs: "desk", run: makesTicket },
  {
    name: "reference-field",
    title: "its custom field has the reference",
    needs: "ticket",
    run: leavesReference,
  },
];

export type CheckResult =
  & { name: string; title: string; ms: number; requestId: string }
  & (
    | Finding
    /** What the check needs is not well. */
    | { outcome: "untried" }
  );

export interface SmokeOptions {
  target: Target;
  /** Whether to make a real ticket. */
  handoff: "none" | "create";
  env: Record<string, string>;
}

/** Runs the checks one after the other; each has a result as soon as it is done. */
export async function* runChecks(
  { target, handoff, env }: SmokeOptions,
): AsyncGenerator<CheckResult> {
  const well = new Set<string>();
  const smoke: Smoke = { target, env, ask: () => Promise.reject(new Error("no check is running")) };
  const checks = handoff === "create" ? [...KEEPING, ...HANDING_OFF] : KEEPING;
  for (const { name, title, needs, run } of checks) {
    const requestId = `${target.runId}-${name}`;
    if (needs !== undefined && !well.has(needs)) {
      yield { name, title, ms: 0, requestId, outcome: "untried" };
      continue;
    }
    smoke.ask = (path, options) => call(target, path, { ...options, requestId });
    const started = performance.now();
    const finding = await run(smoke);
    if (finding.outcome === "ok") well.add(name);
    yield { name, title, ms: Math.round(performance.now() - started), requestId, ...finding };
  }
}
