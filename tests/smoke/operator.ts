import { assert } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken, type TokenClaims } from "../demo/token.ts";
import { AUTH_SECRET } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import { runTask } from "../support/task.ts";

/** A service at a port of its own, with a fake desk, and `smoke` as its operator runs it. */
export async function openDeskhand(env: Record<string, string> = {}) {
  await using opening = new AsyncDisposableStack();
  const desk = opening.adopt(startFakeDesk(), (desk) => desk.close());
  const atDesk: Record<string, string> = {
    SUPPORT_DESK_URL: desk.url,
    SUPPORT_DESK_TOKEN: desk.token,
  };
  const service = opening.use(
    await openService({ env: { ...atDesk, SUPPORT_DESK_QUEUE: desk.queue, ...env } }),
  );
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = opening.use(Deno.serve(options, service.app.fetch));
  const url = `http://127.0.0.1:${server.addr.port}`;
  const open = opening.move();

  async function smoke(
    flags: string[] = [],
    claims: TokenClaims | string = {},
    env: Record<string, string> = {},
  ) {
    const DESKHAND_TOKEN = typeof claims === "string"
      ? claims
      : await mintToken(AUTH_SECRET, claims);
    const all = ["--url", url, "--tenant", "acme", ...flags];
    const result = await runTask("smoke", all, { DESKHAND_TOKEN, ...env });
    const printed = result.stdout + result.stderr;
    assert(!printed.includes(DESKHAND_TOKEN.slice(-20)), "the token is printed");
    return result;
  }

  return { url, desk, atDesk, service, smoke, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** The lines that tell what is wrong, with what they say. */
export function failures(stdout: string): string[] {
  return [...stdout.matchAll(/^FAILED +\d+ ms {2}(.*)\n +(.*)$/mg)]
    .map(([, title, note]) => `${title}. ${note}`);
}
