/// <reference lib="dom" />
/**
 * Runs the panel in a real browser, on a page of another origin, against the whole service and a
 * fake desk, all on loopback.
 */
import type { Browser, Locator, Page } from "playwright-core";
import { type FakeDesk, startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken, type TokenClaims } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import type { Engine } from "../support/browsers.ts";
import type { RoutedPage } from "../support/webkit/page.ts";
import { fillLikeTyping } from "../support/firefox.ts";
import { openService } from "../support/service.ts";

const TIMEOUT_MS = 8000;
export interface StageOptions {
  /** Environment variables of the service, beside what connects it to the desk and the page. */
  env?: Record<string, string>;
  hasDesk?: boolean;
  /** Claims that the product's backend puts into its tokens. */
  claims?: TokenClaims;
  /** Attributes of the panel. */
  attributes?: string;
  /** Language of the page. */
  lang?: string;
  /** HTML that the page has before the panel's script. */
  head?(service: string): string;
  /** Returns what responds to a request of the service's URL instead of the service, if anything. */
  instead?(request: Request): Response | undefined;
  /** Returns the product's page, instead of one with the panel. */
  productPage?(service: string): Promise<string>;
  /** Script that the page runs before the panel is defined. */
  before?: string;
  width?: number;
  height?: number;
  colorScheme?: "light" | "dark";
  forcedColors?: "active" | "none";
  reducedMotion?: "reduce" | "no-preference";
}

/** The panel's elements as a person finds them. */
export interface Panel {
  dialog: Locator;
  /** The latest request, or what stands in its place, above the form. */
  strip: Locator;
  /** What a person sees after sending. */
  result: Locator;
  alert: Locator;
  status: Locator;
  send: Locator;
  field(label: string | RegExp): Locator;
  button(name: string): Locator;
  open(): Promise<void>;
}

export interface Stage extends AsyncDisposable {
  engine: Engine;
  page: Page;
  panel: Panel;
  desk: FakeDesk;
  /** The service's URL. */
  url: string;
  /** Bodies and idempotency keys of what the service was sent, oldest first. */
  posts: { key: string | null; path: string; body: Record<string, unknown> }[];
  /** URLs of the calls that reached the service, without preflights, oldest first. */
  requested: string[];
  /** Errors of the page and of its console. */
  complaints: string[];
  claims: TokenClaims;
  /** Stops the service. What it stored stays. */
  stop(): Promise<void>;
  /** Starts it again at the same URL, over the same store. */
  start(): Promise<void>;
  /** Closes the store under the running service. */
  closeStore(): void;
  /** How many requests are stored. */
  countStored(): Promise<number>;
  /** The service's store. */
  kv: Deno.Kv;
}

export async function openStage(browser: Browser, options: StageOptions = {}): Promise<Stage> {
  const engine = browser.browserType().name() as Engine;
  const { env, hasDesk = true, attributes = `tenant="acme"`, width = 1280, height = 800 } = options;
  const { colorScheme = "light", forcedColors = "none", reducedMotion = "reduce" } = options;
  const claims: TokenClaims = { name: "Ada", ...options.claims };
  const desk = startFakeDesk();
  const posts: Stage["posts"] = [];
  const requested: string[] = [];
  const complaints: string[] = [];
  const kv = await Deno.openKv(":memory:");
  let isStoreOpen = true;

  let serviceUrl = "";
  const product = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/complaint") {
        complaints.push(await request.text());
        return new Response();
      }
      if (pathname === "/token") return new Response(await mintToken(AUTH_SECRET, claims));
      if (pathname !== "/") return new Response(null, { status: 404 });
      if (options.productPage) {
        const headers = { "Content-Type": "text/html; charset=utf-8" };
        return new Response(await options.productPage(serviceUrl), { headers });
      }
      return productPage(serviceUrl, attributes, { ...options, isReporting: engine === "webkit" });
    },
  );
  const pageUrl = `http://127.0.0.1:${product.addr.port}`;

  const service = await openService({
    kv,
    env: {
      ...hasDesk && {
        ...deskEnv(desk),
        SUPPORT_DESK_LABEL: "Acme IT desk",
        SUPPORT_DESK_TIMEOUT_MS: "1000",
      },
      CORS_ORIGINS: pageUrl,
      ...env,
    },
  });
  const handler = async (request: Request) => {
    const response = options.instead?.(request);
    if (response) return response;
    if (request.method === "POST") {
      const { pathname } = new URL(request.url);
      const key = request.headers.get("Idempotency-Key");
      const text = await request.clone().text();
      posts.push({ key, path: pathname, body: text === "" ? {} : JSON.parse(text) });
    }
    return await service.app.fetch(request);
  };
  const routed = async (request: Request) => {
    if (request.method !== "OPTIONS") requested.push(request.url);
    const { routes } = page as RoutedPage;
    return await (routes?.respond(request, handler) ?? handler(request));
  };
  let server: Deno.HttpServer<Deno.NetAddr> | undefined;
  let port = 0;
  async function start() {
    server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, routed);
    port = server.addr.port;
    await Promise.resolve();
  }
  async function stop() {
    await server?.shutdown();
    server = undefined;
  }
  await start();
  serviceUrl = `http://127.0.0.1:${port}`;

  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    forcedColors,
    reducedMotion,
    locale: "en-GB",
    permissions: [],
  });
  if (engine === "firefox") await fillLikeTyping(context);
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(pageUrl);

  return {
    engine,
    page,
    panel: panelOn(page),
    desk,
    url: serviceUrl,
    posts,
    requested,
    complaints,
    claims,
    kv,
    start,
    stop,
    closeStore() {
      isStoreOpen = false;
      kv.close();
    },
    async countStored() {
      let count = 0;
      for (const prefix of ["tenant", "run"]) {
        for await (const _ of kv.list({ prefix: [prefix] })) count++;
      }
      return count;
    },
    async [Symbol.asyncDispose]() {
      (page as RoutedPage).routes?.close();
      await context.close();
      await desk.close();
      await service.inFlight.drained();
      await Promise.all([stop(), product.shutdown()]);
      if (isStoreOpen) kv.close();
    },
  };
}

function panelOn(page: Page): Panel {
  const dialog = page.locator("support-request-panel").getByRole("dialog");
  return {
    dialog,
    strip: dialog.locator("#strip"),
    result: dialog.locator("#result"),
    alert: dialog.locator("#alert"),
    status: dialog.locator("#status"),
    send: dialog.locator("#send"),
    field: (label) => dialog.getByLabel(label),
    button: (name) => dialog.getByRole("button", { name, exact: true }),
    async open() {
      await page.locator("#ask").click();
      await dialog.waitFor();
      await dialog.locator("#strip[aria-busy=false]").waitFor({ state: "attached" });
    },
  };
}

/** Sends what the page complains of to the product, for a browser whose driver does not show it. */
const REPORT = `
  const report = (text) => navigator.sendBeacon("/complaint", String(text));
  const { error } = console;
  console.error = (...args) => { report(args.join(" ")); error.apply(console, args); };
  addEventListener("error", ({ error, message }) => report(error ?? message));
  addEventListener("unhandledrejection", ({ reason }) => report("Unhandled: " + reason));
  addEventListener("securitypolicyviolation", (event) =>
    report("policy: " + event.effectiveDirective + " " + event.blockedURI));
`;

/** A product of another origin, under a policy that allows no inline style and no string as HTML. */
function productPage(
  service: string,
  attributes: string,
  options: StageOptions & { isReporting: boolean },
): Response {
  const { head, before = "", lang = "en" } = options;
  const html = `<!doctype html>
<html lang="${lang}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Demo product</title>
<link rel="icon" href="data:,">
<main>
  <h1>Nightly import</h1>
  <button id="ask" type="button">Request support</button>
</main>
<script nonce="stage">${options.isReporting ? REPORT : ""}</script>
<script nonce="stage">${before}</script>
${head?.(service) ?? ""}
<script src="${service}/panel.js" defer></script>
<support-request-panel ${attributes}></support-request-panel>
<script nonce="stage">
  const panel = document.querySelector("support-request-panel");
  const events = [];
  panel.getToken = () => fetch("/token").then((response) => response.text());
  document.addEventListener("support-request-submitted", ({ detail }) => events.push(detail));
  document.querySelector("#ask").onclick = () => panel.show();
</script>
</html>`;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-stage' ${service}`,
    `connect-src 'self' ${service}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return new Response(html, {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy.join("; "),
    },
  });
}
