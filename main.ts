import { BadEnvironment, type Config, parseConfig } from "./config/config.ts";
import { openLog } from "./config/log.ts";
import { createRequestTracker } from "./desk/request_tracker.ts";
import type { Deskhand } from "./domain/deskhand.ts";
import type { Clock, Log } from "./domain/ports.ts";
import { mintReference } from "./domain/reference.ts";
import { UnderWay } from "./domain/under_way.ts";
import type { KvHandle } from "./kv/call.ts";
import { CannotOpenStore, type OpenStore, openStore } from "./kv/open.ts";
import { createLocalRateLimit, createSharedRateLimit, unlimited } from "./kv/rate_limit.ts";
import { createReadiness } from "./kv/readiness.ts";
import { createStore } from "./kv/store.ts";
import { createApp } from "./routes/app.ts";
import { createVerifyToken } from "./routes/token.ts";

/** Real time. */
export const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
};

export interface Surroundings {
  kv: KvHandle;
  log: Log;
  clock: Clock;
  fetch: typeof fetch;
}

/** Puts the parts together. Reads nothing but its arguments. */
export function compose(config: Config, { kv, log, clock, fetch }: Surroundings) {
  const isExclusive = config.kv.kind === "file";
  const { desk, rateLimitPerMinute: perMinute } = config;
  const underWay = new UnderWay();
  const deskhand: Deskhand = {
    store: createStore(kv, { clock, retentionDays: config.retentionDays, isExclusive }),
    desk: desk && createRequestTracker(desk, fetch),
    deskTimeoutMs: config.deskTimeoutMs,
    clock,
    log,
    mintReference,
    underWay,
  };
  const limit = isExclusive
    ? createLocalRateLimit(perMinute, clock)
    : createSharedRateLimit(kv, perMinute, clock);
  const app = createApp({
    deskhand,
    verify: createVerifyToken({ ...config.auth, now: clock.now }),
    rateLimit: perMinute === 0 ? unlimited : limit,
    isReady: createReadiness(kv, clock),
    corsOrigins: config.corsOrigins,
  });
  return { app, underWay };
}

const SHUTDOWN_MS = 10_000;
const REOPEN_MS = 1_000;

/** Runs the service until SIGTERM or SIGINT. */
async function serve(): Promise<void> {
  const config = configOrExit();
  const log: Log = await openLog(config.logLevel);
  // The service listens first: whoever asks meanwhile is told that the store does not answer yet.
  const opening = open(config, log);
  const kv = opening.then(({ kv }) => kv);
  const { app, underWay } = compose(config, { kv, log, clock, fetch });
  const server = Deno.serve({
    ...config.listen,
    onListen: ({ hostname, port }) =>
      log.info("Listening", { address: `http://${hostname}:${port}` }),
  }, app.fetch);
  if (config.listen === null) return;

  const stop = async () => {
    log.info("Stopping");
    const finished = Promise.all([server.shutdown(), underWay.idle()]).then(() => true);
    if (!await Promise.race([finished, clock.wait(SHUTDOWN_MS).then(() => false)])) {
      log.warn("Stopped with handoffs under way: they will read as interrupted");
    }
    (await opening).close();
    Deno.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, stop);
}

function configOrExit(): Config {
  try {
    return parseConfig(Deno.env.toObject());
  } catch (error) {
    if (!(error instanceof BadEnvironment)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

/** Opens the store. A server that is away is waited for; a file that cannot be opened is not. */
async function open(config: Config, log: Log): Promise<OpenStore> {
  for (;;) {
    try {
      return await openStore(config.kv);
    } catch (error) {
      if (error instanceof CannotOpenStore) {
        console.error(error.message);
        Deno.exit(1);
      }
      log.error("Cannot open KV: trying again", { error: String(error) });
      await clock.wait(REOPEN_MS);
    }
  }
}

if (import.meta.main) await serve();
