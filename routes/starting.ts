import { livenessRoute } from "./health.ts";
import { type BaseAppOptions, createBaseApp } from "./http/base_app.ts";
import { routedPath } from "./http/request_target.ts";
import type { Handler } from "./http/server.ts";

export interface StartingOptions extends BaseAppOptions {
  /** Shown by `/livez`. */
  version: string;
}

/**
 * Returns a handler that loads the application with the first request other than `GET /livez`, which
 * it responds to as the application would. The other requests wait until the application is loaded,
 * and reject if it cannot be.
 *
 * @param load called for each request until the application is loaded
 */
export function handleWhileLoading(
  load: () => Promise<{ fetch: Handler }>,
  options: StartingOptions,
): Handler {
  const liveness = createBaseApp(options).route("/", livenessRoute(options.version));
  let handle: Handler = async (request, env) => {
    if (request.method === "GET" && routedPath(request, { env }) === "/livez") {
      return await liveness.fetch(request, env);
    }
    const app = await load();
    handle = app.fetch;
    return await app.fetch(request, env);
  };
  return (request, env) => handle(request, env);
}
