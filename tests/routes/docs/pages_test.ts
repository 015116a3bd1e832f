import { assertEquals, assertMatch } from "@std/assert";
import { VERSION } from "../../../config/version.ts";
import { openService } from "../../support/service.ts";

Deno.test("the home page links to the docs, also behind a path prefix", async () => {
  await using service = await openService();
  const html = await (await service.call("/", { token: null })).text();
  const urls = [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(([, url]) => url!);
  assertEquals(urls, ["docs/home.css", "docs", "docs/explorer", "openapi.json"]);
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
  // It follows the reader's color scheme.
  assertMatch(html, /<meta name="color-scheme" content="light dark">/);
  for (const text of [VERSION, "Request Tracker", "tenant", "://", "secret.example"]) {
    assertEquals(html.includes(text), false, text);
  }
});

for (
  const [path, policy] of [
    [
      "/docs",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; " +
      "form-action 'none'; frame-ancestors 'none'",
    ],
    [
      "/docs/explorer",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ],
  ] as const
) {
  Deno.test(`${path} links and loads only what is below this service's URL`, async () => {
    await using service = await openService();
    const page = await service.call(path, { token: null });
    assertEquals([page.status, page.headers.get("Content-Security-Policy")], [200, policy]);
    const html = await page.text();
    assertEquals(html.match(/<style|<script(?! src="[^":]+" defer><)|\son\w+=|\sstyle=/), null);
    const urls = new Set(
      [...html.matchAll(/<[a-z][^>]*(?:src|href)="(?!data:|#)([^"]+)"/g)].map(([, url]) => url!),
    );
    assertEquals(urls.size > 3, true);
    for (const url of urls) {
      // Resolved like in a browser behind a path prefix, which the proxy removes.
      const { origin, pathname } = new URL(url, `http://localhost/support${path}`);
      assertEquals(origin, "http://localhost", url);
      assertMatch(pathname, /^\/support\//);
      const response = await service.call(pathname.slice("/support".length), { token: null });
      assertEquals(response.status, 200, url);
      assertEquals(response.headers.get("X-Content-Type-Options"), "nosniff");
      await response.body?.cancel();
    }
  });
}

for (const path of ["/docs", "/docs/explorer"]) {
  Deno.test(`${path}/ redirects to ${path}, also behind a path prefix`, async () => {
    await using service = await openService();
    const response = await service.call(`${path}/`, { token: null });
    assertEquals(response.status, 301);
    const location = response.headers.get("Location")!;
    for (const prefix of ["", "/support"]) {
      const target = new URL(location, `http://localhost${prefix}${path}/`);
      assertEquals(target.pathname, prefix + path);
    }
  });
}
