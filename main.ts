import { type Config, InvalidConfigError, parseConfig } from "./config/config.ts";
import { hasHttpProxy, noProxyFor } from "./config/http_hosts.ts";
import { openLog } from "./config/log.ts";
import { VERSION } from "./config/version.ts";
import { createGate } from "./desk/gate.ts";
import { createRequestTracker } from "./desk/request_tracker.ts";
import type { Dependencies } from "./domain/dependencies.ts";
import type { Clock } from "./domain/ports/clock.ts";
import type { Log } from "./domain/ports/log.ts";
import { generateReference } from "./domain/model/reference.ts";
import { noopTelemetry, type Telemetry } from "./domain/ports/telemetry.ts";
import { InFlightTracker } from "./domain/in_flight.ts";
import { call, type KvHandle } from "./kv/client/call.ts";
import { KvConnection } from "./kv/client/connection.ts";
import { kvErrorMessage } from "./kv/client/error_message.ts";
import { type OpenedStore, openStore, OpenStoreError } from "./kv/client/open.ts";
import { createLocalRateLimit, createSharedRateLimit, unlimited } from "./kv/rate_limit.ts";
import { createReadiness } from "./kv/readiness.ts";
import { createStore } from "./kv/store.ts";
import { withTracing } from "./kv/client/traced.ts";
import { createApp } from "./routes/app.ts";
import { type Handler, listen, ListenError } from "./routes/http/server.ts";
import { createTokenVerifier } from "./routes/auth/token_verifier.ts";

/** Real time. */
export const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
};

export interface Runtime {
  kv: KvHandle;
  /** A handle of the same store for what is only read; by default `kv`. */
  reader?: KvHandle;
  log: Log;
  clock: Clock;
  fetch: typeof fetch;
  /** Tells nobody anything by default. */
  telemetry?: Telemetry;
}

/** Puts the parts together. Reads nothing but its arguments. */
export function compose(config: Config, surroundings: Runtime) {
  const { reader, log, clock, fetch, telemetry = noopTelemetry } = surroundings;
  const kv = surroundings.kv instanceof KvConnection
    ? surroundings.kv
    : new KvConnection(surroundings.kv, { clock, log });
  const isExclusive = config.kv.kind === "file";
  const { desk, rateLimitPerMinute: perMinute } = config;
  const inFlight = new InFlightTracker();
  const deps: Dependencies = {
    store: createStore(kv, { clock, retentionDays: config.retentionDays, isExclusive, reader }),
    desk: desk && createGate(createRequestTracker(desk, fetch), { ...desk, clock, log }),
    deskTimeoutMs: config.deskTimeoutMs,
    clock,
    log,
    telemetry,
    generateReference,
    inFlight,
  };
  const limit = isExclusive
    ? createLocalRateLimit(perMinute, clock)
    : createSharedRateLimit(kv, perMinute, clock);
  const app = createApp({
    deps,
    verify: createTokenVerifier({
      ...config.auth,
      now: clock.now,
      deadline: clock.deadline,
      fetch,
      log,
    }),
    rateLimit: perMinute === 0 ? unlimited : limit,
    isReady: createReadiness(kv, { clock, log }),
    corsOrigins: config.corsOrigins,
    publicUrl: config.publicUrl,
    version: VERSION,
  });
  return { app, inFlight };
}

const SHUTDOWN_MS = 10_000;
const ANSWERS_MS = 1_000;
const REOPEN_MS = 1_000;
const IN_PLACE_MS = 1_000;
/** Of its own, so that a supervisor need not start again, with an empty file. */
const EXIT_FILE_GONE = 3;
/** An opening that hangs cannot be called off: by and by fewer are begun. */
const OPEN_MS = 10_000;
const LONGEST_OPEN_MS = 300_000;

/** Runs the service until SIGTERM or SIGINT, which Deno Deploy sends. */
async function serve(): Promise<void> {
  const config = configOrExit();
  bypassHttpProxy(config);
  const log = openLog(config.log, clock.now);
  // The service listens first: whoever asks meanwhile is told that the store does not answer yet.
  let store: OpenedStore | null = null;
  const telemetry = config.isTraced ? await loadTelemetry() : undefined;
  const opened = open(config, log).then((opened) => store = opened);
  const traceable = (kv: Deno.Kv) => telemetry ? withTracing(kv, telemetry) : kv;
  const isFile = config.kv.kind === "file";
  const reopen = async () => {
    const kv = await store?.reopen() ?? null;
    return kv && traceable(kv);
  };
  const kv = new KvConnection(opened.then(({ kv }) => traceable(kv)), {
    clock,
    log,
    ...!isFile && { reopen },
  });
  const reader = isFile ? opened.then(({ reader }) => traceable(reader)) : kv;
  const { app, inFlight } = compose(config, { kv, reader, log, clock, fetch, telemetry });
  telemetry?.watchOldest(() => {
    const oldest = inFlight.oldestStart();
    return oldest === null ? 0 : clock.elapsed() - oldest;
  });
  // Before it listens: whoever has read that it does may tell it to stop.
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop());
  }
  const server = listenOrExit(config, app.fetch, log);

  let isStopping = false;
  const stop = async () => {
    // Told once or more: `deno task` passes a Ctrl-C on twice.
    if (isStopping) return;
    isStopping = true;
    log.info("stopping", "Stopping");
    await Promise.race([finish(), clock.wait(SHUTDOWN_MS)]);
    if (inFlight.oldestStart() !== null) {
      log.warn(
        "handoffs_abandoned",
        "Stopped with handoffs in flight; they will be reported as interrupted",
      );
    }
    Deno.exit();
  };
  const finish = async () => {
    const closed = server.stop();
    // Connections that have their answer, but not sent all of a body that was refused, stay open.
    do {
      await inFlight.drained();
      await Promise.race([closed, clock.wait(ANSWERS_MS)]);
    } while (!inFlight.isIdle());
    // Closing waits without end for a database that does not answer, and nothing needs it.
    if (store !== null && await answers(kv)) store.close();
  };
  if (!isFile) return;
  const watch = setInterval(async () => {
    if (store === null || await store.isFileIntact()) return;
    clearInterval(watch);
    log.error("store_removed", "The KV file was removed or replaced; writes since then are lost");
    // At once: whatever is answered now would acknowledge what is lost.
    Deno.exit(EXIT_FILE_GONE);
  }, IN_PLACE_MS);
}

function listenOrExit(
  { listen: address }: Config,
  handler: Handler,
  log: Log,
) {
  try {
    return listen(address, handler, { log, clock, version: VERSION });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

function answers(kv: KvHandle): Promise<boolean> {
  return call(kv, (kv) => kv.get(["ready"]), ANSWERS_MS).then(() => true, () => false);
}

function configOrExit(): Config {
  try {
    return parseConfig(Deno.env.toObject());
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

/** Keeps plain http, to this machine and to the configured hosts, away from an ambient proxy. */
function bypassHttpProxy({ allowHttpHosts }: Pick<Config, "allowHttpHosts">): void {
  const env = Deno.env.toObject();
  if (hasHttpProxy(env)) Deno.env.set("NO_PROXY", noProxyFor(allowHttpHosts, env));
}

/** Loaded only where it is exported: others start faster without. */
async function loadTelemetry() {
  const { openTelemetry } = await import("./config/telemetry.ts");
  return openTelemetry(clock.elapsed);
}

/** Opens the store. A server that is away is waited for; a file that cannot be opened is not. */
async function open(config: Config, log: Log): Promise<OpenedStore> {
  for (let deadlineMs = OPEN_MS;; deadlineMs = Math.min(2 * deadlineMs, LONGEST_OPEN_MS)) {
    try {
      return await openStore(config.kv, deadlineMs);
    } catch (error) {
      if (error instanceof OpenStoreError) {
        console.error(error.message);
        Deno.exit(1);
      }
      log.error("store_open_failed", "Cannot open KV; retrying", { error: kvErrorMessage(error) });
      await clock.wait(REOPEN_MS);
    }
  }
}

/** Deletes what a person or a customer wants to be forgotten, and nothing but that. */
async function erase(flags: string[]): Promise<void> {
  const config = configOrExit();
  bypassHttpProxy(config);
  const { kv: location, retentionDays } = config;
  const { runErase } = await import("./kv/erase/command.ts");
  const { log: print, error: printError } = console;
  Deno.exitCode = await runErase(flags, { location, retentionDays, clock, print, printError });
}

if (import.meta.main) {
  const [command, ...flags] = Deno.args;
  await (command === "erase" ? erase(flags) : serve());
}
