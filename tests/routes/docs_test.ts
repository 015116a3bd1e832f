import { assertEquals, assertMatch } from "@std/assert";
import { VERSION } from "../../config/version.ts";
import { openService } from "../support/service.ts";

Deno.test("the home page links to the docs, also behind a path prefix", async () => {
  await using service = await openService();
  const html = await (await service.call("/", { token: null })).text();
  const urls = [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(([, url]) => url!);
  assertEquals(urls, ["docs/home.css", "docs", "openapi.json"]);
  for (const url of urls) {
    const { pathname } = new URL(url, "http://localhost/support/");
    assertMatch(pathname, /^\/support\//);
    const response = await service.call(pathname.slice("/support".length), { token: null });
    assertEquals(response.status, 200, url);
    await response.body?.cancel();
  }
});

Deno.test("the home page runs no script, and says nothing about the installation", async () => {
  await using service = await openService({
    env: { PUBLIC_URL: "https://secret.example/support", CORS_ORIGINS: "https://app.example" },
  });
  const page = await service.call("/", { token: null });
  assertEquals(page.status, 200);
  assertEquals(
    page.headers.get("Content-Security-Policy"),
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; " +
      "frame-ancestors 'none'",
  );
  assertEquals(page.headers.get("Cache-Control"), "public, max-age=300");
  const html = await page.text();
  assertEquals(html.match(/<script|<style|\son\w+=|\sstyle=/), null);
  // It follows the color scheme of whoever reads it.
  assertMatch(html, /<meta name="color-scheme" content="light dark">/);
  for (const text of [VERSION, "Request Tracker", "tenant", "://", "secret.example"]) {
    assertEquals(html.includes(text), false, text);
  }
});

Deno.test("the docs page loads only resources of this service", async () => {
  await using service = await openService();
  const page = await service.call("/docs", { token: null });
  assertEquals(page.status, 200);
  const policy = page.headers.get("Content-Security-Policy")!;
  assertMatch(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
  assertMatch(policy, /frame-ancestors 'none'/);
  const html = await page.text();
  assertEquals(html.match(/<(script|style)[^>]*>[^<]+</), null);
  const addresses = [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(([, url]) => url!);
  assertEquals(addresses.length, 4);
  for (const address of addresses) {
    // Resolved like in a browser behind a path prefix, which the proxy removes.
    const { pathname } = new URL(address, "http://localhost/support/docs");
    assertMatch(pathname, /^\/support\//);
    const response = await service.call(pathname.slice("/support".length));
    assertEquals(response.status, 200, address);
    assertMatch(response.headers.get("Cache-Control")!, /^public, max-age=\d+$/);
    assertEquals(response.headers.get("X-Content-Type-Options"), "nosniff");
    await response.body?.cancel();
  }
});

Deno.test("the docs page with a trailing slash redirects, also behind a path prefix", async () => {
  await using service = await openService();
  const response = await service.call("/docs/", { token: null });
  assertEquals(response.status, 301);
  const location = response.headers.get("Location")!;
  assertEquals(new URL(location, "http://localhost/docs/").pathname, "/docs");
  assertEquals(new URL(location, "http://localhost/support/docs/").pathname, "/support/docs");
});
