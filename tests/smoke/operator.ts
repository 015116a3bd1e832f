import { assert } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken, type TokenClaims } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import { type CheckResult, runChecks, type SmokeOptions } from "./checks.ts";
import { runTask } from "../support/task.ts";

/** A failed check, with the title of the check. */
export interface Failure {
  title: string;
  cause: string;
  next: string;
}

/** A service in this process that listens on a free port. */
export async function serveDeskhand(
  env: Record<string, string>,
  { date }: { date?: () => Date } = {},
) {
  await using opening = new AsyncDisposableStack();
  const service = opening.use(await openService({ env }));
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = opening.use(Deno.serve(options, async (request) => {
    const response = await service.app.fetch(request);
    if (date !== undefined) response.headers.set("Date", date().toUTCString());
    return response;
  }));
  const open = opening.move();
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { url, service, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/**
 * Starts a service with a fake desk, and returns it with `smoke`, which runs the task as its
 * operator does. `date` changes the header Date of its responses.
 */
export async function openDeskhand(
  env: Record<string, string> = {},
  options: { date?: () => Date } = {},
) {
  await using opening = new AsyncDisposableStack();
  const desk = opening.adopt(startFakeDesk(), (desk) => desk.close());
  const atDesk = deskEnv(desk);
  const { url, service } = opening.use(await serveDeskhand({ ...atDesk, ...env }, options));
  const open = opening.move();

  async function smoke(
    flags: string[] = [],
    claims: TokenClaims | string = {},
    env: Record<string, string> = {},
  ) {
    const DESKHAND_TOKEN = await toToken(claims);
    const all = ["--url", url, "--tenant", "acme", ...flags];
    const result = await runTask("smoke", all, { DESKHAND_TOKEN, ...env });
    assertNoSecret(result.stdout + result.stderr, [DESKHAND_TOKEN, env.SUPPORT_DESK_TOKEN]);
    return result;
  }

  return { url, desk, atDesk, service, smoke, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Runs the checks in this process, with the operator's settings in `env`; returns what failed. */
export async function diagnose(
  { url = "http://127.0.0.1:1", token = {}, handoff = "none", env = {} }: {
    url?: string;
    token?: TokenClaims | string;
    handoff?: SmokeOptions["handoff"];
    env?: Record<string, string>;
  },
): Promise<Failure[]> {
  const target = {
    url,
    setting: "--url",
    token: await toToken(token),
    tenantId: "acme",
    runId: `smoke-${crypto.randomUUID()}`,
  };
  const results: CheckResult[] = [];
  for await (const result of runChecks({ target, handoff, env })) results.push(result);
  assertNoSecret(JSON.stringify(results), [target.token, env.SUPPORT_DESK_TOKEN]);
  return results.flatMap((result) =>
    result.outcome === "failed"
      ? [{ title: result.title, cause: result.cause, next: result.next }]
      : []
  );
}

async function toToken(claims: TokenClaims | string): Promise<string> {
  return typeof claims === "string" ? claims : await mintToken(AUTH_SECRET, claims);
}

function assertNoSecret(text: string, secrets: (string | undefined)[]): void {
  for (const secret of secrets) {
    if (secret === undefined) continue;
    assert(!text.includes(secret.slice(-20)), "a secret is printed");
  }
}

/** Parses the failures that the task printed. */
export function failures(stdout: string): Failure[] {
  return [...stdout.matchAll(/^FAILED +\d+ ms {2}(.*)\n +(.*)\n +Next: (.*)$/mg)]
    .map(([, title, cause, next]) => ({ title: title!, cause: cause!, next: next! }));
}
