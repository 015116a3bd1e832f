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

/**
 * Returns a sample product: a page with the panel in a tenant's and in a run's context, a token
 * endpoint, a control for the behavior of the fake desk, and the latest lines of the log.
 */
export function demoProduct(
  desk: FakeDesk,
  log: LiveLog,
  mintToken: () => Promise<string>,
): Hono {
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
    .get("/demo/token", async (c) => c.text(await mintToken()))
    .get("/demo/log", (c) => c.json(log.after(Number(c.req.query("after") ?? 0))))
    .get("/demo/desk", (c) => c.json({ desk: desk.url, mode, modes: MODES }))
    .put("/demo/desk", async (c) => {
      const requested = await c.req.text();
      if (!Object.hasOwn(MODES, requested)) return c.text("Unknown mode", 422);
      mode = requested as FakeDeskMode;
      desk.behave(mode);
      return c.body(null, 204);
    });
}
