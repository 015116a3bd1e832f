import { Hono } from "hono";
import { isLoopback } from "../../config/http_hosts.ts";
import type { FakeDesk, FakeDeskMode } from "./fake_desk.ts";
import type { LiveLog } from "./live_log.ts";

/** What the fake desk does in each mode, as the page shows it. */
const MODES: Record<FakeDeskMode, string> = {
  "normal": "creates tickets",
  "slow": "takes two seconds",
  "hang": "never responds and creates nothing",
  "hang-after-create": "creates the ticket, but never responds",
  "refuse": "rejects Deskhand's token",
  "reject": "rejects the ticket",
  "rate-limit": "limits the rate",
  "error": "fails and creates nothing",
  "error-after-create": "creates the ticket, then fails",
  "rubbish": "returns an HTML page",
  "drop-field": "creates the ticket without the reference field",
};

export interface DemoProductOptions {
  desk: FakeDesk;
  log: LiveLog;
  mintToken(): Promise<string>;
  /** The origins whose pages may get a token, beside the product's own. */
  corsOrigins: string[];
  /** Sends a request to the service. */
  callService(request: Request): Response | Promise<Response>;
}

/**
 * Returns a sample product: a page with the panel in a tenant's and in a run's context, a token
 * endpoint, a control for the behavior of the fake desk, and the latest lines of the log. The service
 * handles every other request unchanged, except that its guide has a token to copy.
 */
export function demoProduct(options: DemoProductOptions): Hono {
  const { desk, log, mintToken, corsOrigins, callService } = options;
  let mode: FakeDeskMode = "normal";
  return new Hono()
    // Without this, a page whose host name resolves to this machine (DNS rebinding) could get a token.
    .use(async (c, next) => {
      if (!isLoopback(URL.parse(c.req.url)?.hostname ?? "")) {
        return c.text("The demo is for this machine only: open http://127.0.0.1 or localhost", 403);
      }
      await next();
    })
    .get("/", async (c) => {
      const { default: page } = await import("./product.html", { with: { type: "text" } });
      return c.html(page);
    })
    .get("/demo/token", async (c) => {
      const origin = c.req.header("Origin") ?? "";
      const headers = { "Vary": "Origin", "Cache-Control": "no-store" };
      const allowed = corsOrigins.includes(origin) && { "Access-Control-Allow-Origin": origin };
      return c.text(await mintToken(), 200, { ...headers, ...allowed });
    })
    .get("/demo/log", (c) => c.json(log.after(Number(c.req.query("after") ?? 0))))
    .get("/demo/desk", (c) => c.json({ desk: desk.url, mode, modes: MODES }))
    .put("/demo/desk", async (c) => {
      const requested = await c.req.text();
      if (!Object.hasOwn(MODES, requested)) return c.text("Unknown mode", 422);
      mode = requested as FakeDeskMode;
      desk.behave(mode);
      return c.body(null, 204);
    })
    .get("/docs", async (c) => {
      // Without the headers that ask for a compressed or an unchanged page.
      const guide = await callService(new Request(c.req.url));
      const { origin } = new URL(c.req.url);
      const page = forDemo(await guide.text(), origin, await mintToken());
      const policy = guide.headers.get("Content-Security-Policy")!;
      return c.html(page, 200, { "Content-Security-Policy": policy, "Cache-Control": "no-store" });
    })
    .notFound((c) => callService(c.req.raw));
}

/** Returns the service's guide with the URL and a token of the demo, so that each example works. */
function forDemo(guide: string, origin: string, token: string): string {
  const tokenUrl = `${origin}/demo/token`;
  return guide
    .replaceAll("https://deskhand.example", origin)
    .replace("$(deno task token)", token)
    .replaceAll('fetch("/my-backend/support-token")', `fetch("${tokenUrl}")`)
    .replace(
      '<h2 id="token">',
      `<p><b>This is the demo's guide.</b> The examples have its URL and a token, so each works as it is. A page on <code>http://localhost:3000</code>, <code>:5173</code> or <code>:8080</code> may call the demo.</p>\n<h2 id="token">`,
    );
}
