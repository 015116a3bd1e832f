/** `deno task dev`: runs the service with an in-memory store, a fake desk and a sample product. */
import { clock } from "../../config/clock.ts";
import { InvalidConfigError, parseConfig } from "../../config/config.ts";
import { noProxyFor } from "../../config/http_hosts.ts";
import { openLog } from "../../config/log.ts";
import { VERSION } from "../../config/version.ts";
import { InFlightTracker } from "../../domain/in_flight.ts";
import { compose } from "../../main.ts";
import { startFakeDesk } from "./fake_desk.ts";
import { LiveLog } from "./live_log.ts";
import { demoProduct } from "./product.ts";
import { mintToken } from "./token.ts";

const HOST = "127.0.0.1";
const TENANT = "acme";
/** Where development servers usually are, so that a page of theirs can try the demo. */
const DEVELOPMENT_ORIGINS = [3000, 5173, 8080]
  .flatMap((port) => [`http://localhost:${port}`, `http://${HOST}:${port}`]);
const TOKEN_LIFETIME_S = 24 * 60 * 60;
/** `deno task` passes one Ctrl-C on twice, within this time. */
const DUPLICATE_SIGNAL_MS = 1_000;
/** How long a stop waits for idle connections to close. */
const CLOSE_TIMEOUT_MS = 1_000;

const desk = startFakeDesk();
const secret = new Uint8Array(32);
crypto.getRandomValues(secret);
const AUTH_SECRET = secret.toHex();

const config = configOrExit();
// The fake desk is on this machine, so no request to it may go through a proxy of the environment.
Deno.env.set(
  "NO_PROXY",
  noProxyFor([], { NO_PROXY: Deno.env.get("NO_PROXY"), no_proxy: Deno.env.get("no_proxy") }),
);
const kv = await Deno.openKv(":memory:");
const log = new LiveLog(openLog(config.log, clock.now));
const inFlight = new InFlightTracker();
const app = await compose(config, { kv, log, clock, fetch, inFlight });

const mint = () =>
  mintToken(AUTH_SECRET, {
    sub: "ada",
    name: "Ada",
    tenants: [TENANT],
    lifetime: TOKEN_LIFETIME_S,
  });

const demo = demoProduct({
  desk,
  log,
  mintToken: mint,
  corsOrigins: config.corsOrigins,
  callService: app.fetch,
});

const token = await mint();
let isStopping = false;
// Added before the server listens, because a test may send the signal as soon as it does.
Deno.addSignalListener("SIGINT", stop);
const server = serveOrExit(config.listen?.port ?? 0);

function configOrExit() {
  try {
    return parseConfig({
      // The store and the desk are never read from the environment, so that no demo reaches a real
      // desk.
      PORT: Deno.env.get("PORT") ?? "",
      CORS_ORIGINS: Deno.env.get("CORS_ORIGINS") || DEVELOPMENT_ORIGINS.join(),
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
      `Cannot listen on port ${port}: another process uses it. Stop that process or choose another ` +
        "port: PORT=8001 deno task dev",
    );
    Deno.exit(1);
  }
}

function introduce({ port }: Deno.NetAddr): void {
  const origin = `http://${HOST}:${port}`;
  const requests = `${origin}/v1/tenants/${TENANT}/support-requests`;
  const curl = `curl -sS -w '\\n' -H "Authorization: Bearer $TOKEN"`;
  const submit = (body: unknown) =>
    `${curl} \\
  -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(body)}' \\
  ${requests}`;
  console.log(`
Deskhand ${VERSION} (demo: the store is in memory, and the support desk is a fake)

Sample product   ${origin}/
Guide            ${origin}/docs (five steps, with a token to copy)
Fake desk        ${desk.url}/

To call the API, paste these lines into bash or zsh. The token is valid for this run only:

export TOKEN=${token}

Submit a support request and create a ticket:

${submit({ summary: "The nightly import stops at row 40,000", handoff: { mode: "create" } })}

Read the latest support request and its status:

${curl} \\
  ${requests}/latest

Press Ctrl-C to stop. The log of the service follows:
`);
}

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  // A later second Ctrl-C ends the process without waiting.
  const timer = setTimeout(() => Deno.removeSignalListener("SIGINT", stop), DUPLICATE_SIGNAL_MS);
  Deno.unrefTimer(timer);
  const closed = Promise.all([server.shutdown(), desk.close()]);
  await inFlight.drained();
  await Promise.race([closed, clock.wait(CLOSE_TIMEOUT_MS)]);
  Deno.exit();
}
