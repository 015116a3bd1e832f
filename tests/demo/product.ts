import { Hono } from "hono";
import type { FakeDesk, FakeDeskMode } from "./fake_desk.ts";

/** What each mode of the fake desk looks like to whoever chooses it. */
const MODES: Record<FakeDeskMode, string> = {
  "normal": "makes tickets at once",
  "slow": "takes two seconds",
  "hang": "never answers, and makes nothing",
  "hang-after-create": "makes the ticket, but never answers",
  "refuse": "refuses our token",
  "reject": "rejects the ticket",
  "rate-limit": "takes no more tickets just now",
  "error": "has an error, and makes nothing",
  "error-after-create": "makes the ticket, then has an error",
  "rubbish": "answers rubbish",
  "drop-field": "makes the ticket without the reference field",
};

/** A page with the panel in a tenant's and in a run's context, and switches for the desk. */
export function demoProduct(desk: FakeDesk, mintToken: () => Promise<string>) {
  let mode: FakeDeskMode = "normal";
  return new Hono()
    .get("/", async (c) => {
      const { default: page } = await import("./product.html", { with: { type: "text" } });
      return c.html(page);
    })
    .get("/demo/token", async (c) => c.text(await mintToken()))
    .get("/demo/desk", (c) => c.json({ desk: desk.url, mode, modes: MODES }))
    .put("/demo/desk", async (c) => {
      const wanted = await c.req.text();
      if (!Object.hasOwn(MODES, wanted)) return c.text("There is no such mode", 422);
      mode = wanted as FakeDeskMode;
      desk.behave(mode);
      return c.body(null, 204);
    });
}
