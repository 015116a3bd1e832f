import type { Config } from "./config/config.ts";
import { openObservability } from "./config/observability.ts";
import { readConfigOrExit } from "./config/config_or_exit.ts";
import { VERSION } from "./config/version.ts";
import { Gate } from "./desk/gate.ts";
import { createRequestTracker } from "./desk/request_tracker.ts";
import { InFlightTracker } from "./domain/in_flight.ts";
import { generateReference } from "./domain/model/reference.ts";
import type { Clock } from "./domain/ports/clock.ts";
import type { Log } from "./domain/ports/log.ts";
import { noopTelemetry, type Telemetry } from "./domain/ports/telemetry.ts";
import type { KvHandle } from "./kv/client/call.ts";
import { OpenStoreError } from "./kv/open/opened_store.ts";
import { openInBackground } from "./kv/open/open_in_background.ts";
import { createKvPorts } from "./kv/kv_ports.ts";
import { createApp } from "./routes/app.ts";
import { createTokenVerifier } from "./routes/auth/token_verifier.ts";
import { listen, ListenError } from "./routes/http/server.ts";
import { shutDown, stopSignal } from "./routes/http/shutdown.ts";

/** After this exit code, a supervisor must not restart the service: that would create an empty file. */
const EXIT_FILE_REMOVED = 3;

/** The system clock. */
export const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
};

export interface Runtime {
  kv: KvHandle;
  /** A second handle of the same store, for reads only. Defaults to `kv`. */
  reader?: KvHandle;
  log: Log;
  clock: Clock;
  fetch: typeof fetch;
  /** Defaults to a no-op. */
  telemetry?: Telemetry;
}

type Service = { app: ReturnType<typeof createApp>; inFlight: InFlightTracker };

/** Wires the application together. Reads nothing but its arguments. */
export function compose(config: Config, runtime: Runtime): Service {
  const { kv, reader, log, clock, fetch, telemetry = noopTelemetry } = runtime;
  const { deskTimeoutMs, retentionDays, rateLimitPerMinute, corsOrigins, publicUrl } = config;
  const limits = { retentionDays, rateLimitPerMinute, isExclusive: config.kv.kind === "file" };
  const { store, rateLimit, isReady } = createKvPorts(kv, { ...limits, clock, log, reader });
  const desk = config.desk &&
    new Gate(createRequestTracker(config.desk, fetch), { ...config.desk, clock, log, telemetry });
  const inFlight = new InFlightTracker();
  const deps = { store, desk, deskTimeoutMs, clock, log, telemetry, generateReference, inFlight };
  const { now, deadline } = clock;
  const verify = createTokenVerifier({ ...config.auth, now, deadline, fetch, log });
  const version = VERSION;
  const app = createApp({ deps, verify, rateLimit, isReady, corsOrigins, publicUrl, version });
  return { app, inFlight };
}

/** Runs the service until it receives SIGTERM, or SIGINT (which Deno Deploy sends). */
async function serve(): Promise<void> {
  const config = readConfigOrExit(Deno.env);
  const { log, telemetry } = await openObservability(config, clock);
  const onFileRemoved = () => Deno.exit(EXIT_FILE_REMOVED);
  const store = openInBackground(config.kv, { clock, log, telemetry, onFileRemoved });
  store.opened.catch(exitWithMessage);
  const { app, inFlight } = compose(config, { ...store, log, clock, fetch, telemetry });
  telemetry?.watchInFlight(() => inFlight.measure(clock.elapsed()));
  const stopped = stopSignal();
  // Listens before the store is open: until then, requests get a 503.
  const server = listen(config.listen, app.fetch, { log, clock, version: VERSION });
  stopped.then(() => shutDown(server, { inFlight, clock, log, closeStore: store.close }))
    .then(() => Deno.exit());
}

/** Runs `deno task erase`. */
async function erase(flags: string[]): Promise<void> {
  const { kv: location, retentionDays } = readConfigOrExit(Deno.env);
  const { runErase } = await import("./kv/erase/command.ts");
  const { log: print, error: printError } = console;
  Deno.exitCode = await runErase(flags, { location, retentionDays, clock, print, printError });
}

/** Prints what the operator has to change. Rethrows any other error, because it is a bug. */
function exitWithMessage(error: unknown): never {
  if (!(error instanceof OpenStoreError || error instanceof ListenError)) throw error;
  // After what the log still has to write, so that the message is the last line.
  addEventListener("unload", () => console.error(error.message));
  Deno.exit(1);
}

if (import.meta.main) {
  const [command, ...flags] = Deno.args;
  await (command === "erase" ? erase(flags) : serve()).catch(exitWithMessage);
}
