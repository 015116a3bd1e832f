import { livenessRoute } from "./health.ts";
import { type BaseAppOptions, createBaseApp } from "./http/base_app.ts";
import { routedPath } from "./http/request_target.ts";
import type { Handler } from "./http/server.ts";

/**
 * The delay between listening and loading the application, which occupies the thread for about 50 ms. A
 * health check that is waiting to connect needs up to this time on a busy machine. Any other request
 * loads the application without delay.
 */
const LOAD_DELAY_MS = 100;

/** Calls `load` once health checks that were waiting for the start have had time to connect. */
export function loadAfterStart(load: () => void): void {
  // Not with `setTimeout`: its first call in a process takes Deno 5 ms.
  AbortSignal.timeout(LOAD_DELAY_MS).addEventListener("abort", load);
}

export interface StartingOptions extends BaseAppOptions {
  /** Shown by `/livez`. */
  version: string;
}

/**
 * Returns a handler that loads the application with the first request other than `GET /livez`. It
 * responds to `GET /livez` as the application does. The other requests wait until the application is
 * loaded, and reject if that fails.
 *
 * @param load Called for each request until the application is loaded.
 */
export function handleWhileLoading(
  load: () => Promise<{ fetch: Handler }>,
  options: StartingOptions,
): Handler {
  const liveness = createBaseApp(options).route("/", livenessRoute(options.version));
  const { clock, inFlight } = options.deps;
  let handle: Handler = async (request, env) => {
    if (request.method === "GET" && routedPath(request, { env }) === "/livez") {
      return await liveness.fetch(request, env);
    }
    const arrivedAt = clock.elapsed();
    // While it waits, too, so that a shutdown waits for it before it closes the store.
    inFlight.requestStarted();
    try {
      const app = await load();
      handle = app.fetch;
      return await app.fetch(request, { ...env, arrivedAt });
    } finally {
      inFlight.requestFinished();
    }
  };
  return (request, env) => handle(request, env);
}
