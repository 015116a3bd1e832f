import type { Route } from "playwright-core";

type Matcher = string | ((url: URL) => boolean);
export type Handler = (route: Route) => unknown;

/** Handles the calls that reach a server as Playwright's `page.route` handles those that leave a page. */
export class Routes {
  readonly #closed = Promise.withResolvers<Response>();
  #routes: { matches(url: URL): boolean; handler: Handler; left: number }[] = [];

  add(matcher: Matcher, handler: Handler, times = Infinity): void {
    const matches = typeof matcher === "function"
      ? matcher
      // Of the patterns, only those with a leading `**` are in use.
      : ({ pathname }: URL) => pathname.endsWith(matcher.replace("**", ""));
    this.#routes.unshift({ matches, handler, left: times });
  }

  clear(): void {
    this.#routes = [];
  }

  /** Ends the calls whose handlers never respond, so that the server can shut down. */
  close(): void {
    this.#closed.resolve(new Response());
  }

  /**
   * Returns the response to a request. One that a handler aborts has no CORS headers, so that `fetch`
   * rejects it as it does a lost connection. Preflights are not handled, as in Chromium.
   */
  async respond(
    request: Request,
    next: (request: Request) => Promise<Response>,
  ): Promise<Response> {
    const url = new URL(request.url);
    const route = request.method === "OPTIONS"
      ? undefined
      : this.#routes.find(({ matches, left }) => left > 0 && matches(url));
    if (!route) return await next(request);
    route.left--;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const handled = {
      request: () => ({ method: () => request.method, url: () => request.url }),
      continue: () => next(request).then(resolve, reject),
      fetch: () => next(request),
      abort: () => resolve(new Response()),
      fulfill(
        { status = 200, json, body, headers, response }: {
          status?: number;
          json?: unknown;
          body?: string;
          headers?: Record<string, string>;
          response?: Response;
        },
      ) {
        const text = json === undefined ? body : JSON.stringify(json);
        resolve(response ?? new Response(text, { status, headers }));
      },
    };
    Promise.resolve(route.handler(handled as unknown as Route)).catch(reject);
    return await Promise.race([promise, this.#closed.promise.then((end) => end.clone())]);
  }
}
