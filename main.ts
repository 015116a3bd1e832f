import { clock } from "./config/clock.ts";
import type { Config } from "./config/config.ts";
import { openObservability } from "./config/observability.ts";
import { readConfigOrExit } from "./config/config_or_exit.ts";
import { VERSION } from "./config/version.ts";
import type { Dependencies } from "./domain/dependencies.ts";
import { InFlightTracker } from "./domain/in_flight.ts";
import { noopTelemetry, type Telemetry } from "./domain/ports/telemetry.ts";
import type { KvHandle } from "./kv/client/call.ts";
import { OpenStoreError } from "./kv/open/opened_store.ts";
import type { createApp } from "./routes/app.ts";
import { listen, ListenError } from "./routes/http/server.ts";
import { Admission } from "./routes/http/admission.ts";
import { shutDown, stopSignal } from "./routes/http/shutdown.ts";
import { handleWhileLoading, loadAfterStart } from "./routes/starting.ts";

export interface Runtime extends Pick<Dependencies, "log" | "clock" | "inFlight"> {
  kv: KvHandle;
  /** A second handle of the same store, for reads only. Defaults to `kv`. */
  reader?: KvHandle;
  fetch: typeof fetch;
  /** Defaults to a no-op. */
  telemetry?: Telemetry;
}

type App = ReturnType<typeof createApp>;

/**
 * Wires the application together. Reads nothing but its arguments. Loads the modules of the application,
 * so that those of {@linkcode serve} suffice for the first response.
 */
export async function compose(config: Config, runtime: Runtime): Promise<App> {
  const { createApp } = await import("./routes/app.ts");
  const { createTokenVerifier } = await import("./routes/auth/token_verifier.ts");
  const { createKvPorts } = await import("./kv/kv_ports.ts");
  const { Gate } = await import("./desk/gate.ts");
  const { createRequestTracker } = await import("./desk/request_tracker.ts");
  const { generateReference } = await import("./domain/model/reference.ts");
  const { kv, reader, log, clock, fetch, inFlight, telemetry = noopTelemetry } = runtime;
  const { deskTimeoutMs, retentionDays, rateLimitPerMinute, corsOrigins, publicUrl } = config;
  const limits = { retentionDays, rateLimitPerMinute, isExclusive: config.kv.kind === "file" };
  const { store, rateLimit, isReady } = createKvPorts(kv, { ...limits, clock, log, reader });
  const desk = config.desk &&
    new Gate(createRequestTracker(config.desk, fetch), { ...config.desk, clock, log, telemetry });
  const deps = { store, desk, deskTimeoutMs, clock, log, telemetry, generateReference, inFlight };
  const { now, deadline } = clock;
  const verify = createTokenVerifier({ ...config.auth, now, deadline, fetch, log });
  return createApp({ deps, verify, rateLimit, isReady, corsOrigins, publicUrl, version: VERSION });
}

/** Runs the service until it receives SIGTERM, or SIGINT (which Deno Deploy sends). */
async function serve(): Promise<void> {
  const config = readConfigOrExit(Deno.env);
  const { log, telemetry } = await openObservability(config, clock);
  const inFlight = new InFlightTracker();
  telemetry?.watchInFlight(() => inFlight.measure(clock.elapsed()));
  const parts = { log, clock, fetch, telemetry, inFlight };
  let loading: ReturnType<typeof load> | undefined;
  const loadOnce = () => loading ??= load(config, parts);
  const stopped = stopSignal();
  // Listens before the application is loaded and the store is open: until then, only `/livez` responds,
  // and other requests wait for the application, and for the store if they need it.
  const deps = { ...parts, telemetry: telemetry ?? noopTelemetry };
  const handle = handleWhileLoading(loadOnce, { ...config, deps, version: VERSION });
  const server = listen(config.listen, handle, { log, clock, version: VERSION });
  loadAfterStart(() => loadOnce().catch(exitWithMessage));
  const closeStore = async () => await (await loading)?.store.close();
  stopped.then(() => shutDown(server, { ...parts, closeStore })).then(() => Deno.exit());
}

/** Starts opening the store, and loads the application. */
async function load(config: Config, parts: Omit<Runtime, "kv" | "reader">) {
  const { openInBackground } = await import("./kv/open/open_in_background.ts");
  // After this exit code, a supervisor must not restart the service: that would create an empty file.
  const onFileRemoved = () => Deno.exit(3);
  const store = openInBackground(config.kv, { ...parts, onFileRemoved });
  store.opened.catch(exitWithMessage);
  const app = await compose(config, { ...parts, ...store });
  return { fetch: new Admission(app.fetch, parts).handle, store };
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
