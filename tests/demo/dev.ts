/** `deno task dev`: the service to try out, handing requests to a fake desk and keeping nothing. */
import { InvalidConfigError, parseConfig } from "../../config/config.ts";
import { noProxyFor } from "../../config/http_hosts.ts";
import { openLog } from "../../config/log.ts";
import { clock, compose } from "../../main.ts";
import { startFakeDesk } from "./fake_desk.ts";
import { demoProduct } from "./product.ts";
import { mintToken } from "./token.ts";

const HOST = "127.0.0.1";
const TENANT = "acme";
const TOKEN_LIFETIME_S = 24 * 60 * 60;
const SAME_CTRL_C_MS = 1_000;
const ANSWERS_MS = 1_000;

const desk = startFakeDesk();
const secret = new Uint8Array(32);
crypto.getRandomValues(secret);
const AUTH_SECRET = secret.toHex();

const config = configOrExit();
// The fake desk is on this machine: nothing of it goes through a proxy of the environment.
Deno.env.set(
  "NO_PROXY",
  noProxyFor([], { NO_PROXY: Deno.env.get("NO_PROXY"), no_proxy: Deno.env.get("no_proxy") }),
);
const kv = await Deno.openKv(":memory:");
const log = openLog(config.log, clock.now);
const { app, inFlight } = compose(config, { kv, log, clock, fetch });

const mint = () =>
  mintToken(AUTH_SECRET, {
    sub: "ada",
    name: "Ada",
    tenants: [TENANT],
    lifetime: TOKEN_LIFETIME_S,
  });

/** Routes that exist in demo only. Every other call goes to the service as it is. */
const demo = demoProduct(desk, mint);
demo.notFound((c) => app.fetch(c.req.raw));

const token = await mint();
let isStopping = false;
// Before it listens: whoever has read that it does may stop it.
Deno.addSignalListener("SIGINT", stop);
const server = serveOrExit(config.listen?.port ?? 0);

function configOrExit() {
  try {
    return parseConfig({
      // Only what somebody may want to change here. Where requests are kept and where they go is
      // never read from the environment, so that no demo reaches a real desk.
      PORT: Deno.env.get("PORT") ?? "",
      CORS_ORIGINS: Deno.env.get("CORS_ORIGINS") ?? "",
      LOG_LEVEL: Deno.env.get("LOG_LEVEL") ?? "",
      HOST,
      KV_PATH: "in-memory.kv",
      AUTH_SECRET,
      SUPPORT_DESK_URL: desk.url,
      SUPPORT_DESK_TOKEN: desk.token,
      SUPPORT_DESK_QUEUE: desk.queue,
      SUPPORT_DESK_LABEL: "Demo desk",
    });
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

function serveOrExit(port: number) {
  try {
    return Deno.serve({ hostname: HOST, port, onListen: introduce }, demo.fetch);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    console.error(
      `Cannot listen on port ${port}: another process does. Stop it, or choose another port: ` +
        "PORT=8001 deno task dev",
    );
    Deno.exit(1);
  }
}

function introduce({ port }: Deno.NetAddr): void {
  const requests = `http://${HOST}:${port}/v1/tenants/${TENANT}/support-requests`;
  const curl = `curl -sS -w '\\n' -H "Authorization: Bearer ${token}"`;
  const submit = (body: unknown) =>
    `${curl} -H 'Content-Type: application/json' -d '${JSON.stringify(body)}' ${requests}`;
  console.log(`
Deskhand is at http://${HOST}:${port}, for trying things out only: it keeps nothing when it ends, and nobody
reads what it hands off. Open it in a browser to see the panel in a product. Ctrl-C ends it.

A token for this run only:

${token}

Lines to paste into a shell (bash or zsh). Submit a support request:

${submit({ summary: "The nightly import stops at row 40,000" })}

Submit one with a ticket at the desk:

${submit({ summary: "The export is empty", handoff: { mode: "create" } })}

See the latest one, and what became of it:

${curl} ${requests}/latest

The fake desk and its tickets are at ${desk.url}

The service's log follows, one JSON object a line.
`);
}

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  // A second Ctrl-C does not wait. What comes sooner is the first: `deno task` passes it on twice.
  const later = setTimeout(() => Deno.removeSignalListener("SIGINT", stop), SAME_CTRL_C_MS);
  Deno.unrefTimer(later);
  const closed = Promise.all([server.shutdown(), desk.close()]);
  await inFlight.drained();
  // Whoever says nothing more is not waited for.
  await Promise.race([closed, clock.wait(ANSWERS_MS)]);
  Deno.exit();
}
