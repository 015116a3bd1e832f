import { assertEquals, assertMatch } from "@std/assert";
import { openService } from "../support/service.ts";

Deno.test("the page to try the contract needs nothing that is not served here", async () => {
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
    // As a browser resolves it on a page behind a path prefix, which the proxy removes.
    const { pathname } = new URL(address, "http://localhost/support/docs");
    assertMatch(pathname, /^\/support\//);
    const answer = await service.call(pathname.slice("/support".length));
    assertEquals(answer.status, 200, address);
    assertMatch(answer.headers.get("Cache-Control")!, /^public, max-age=\d+$/);
    assertEquals(answer.headers.get("X-Content-Type-Options"), "nosniff");
    await answer.body?.cancel();
  }
});

Deno.test("the docs page with a slash at its end redirects, also behind a path prefix", async () => {
  await using service = await openService();
  const answer = await service.call("/docs/", { token: null });
  assertEquals(answer.status, 301);
  const location = answer.headers.get("Location")!;
  assertEquals(new URL(location, "http://localhost/docs/").pathname, "/docs");
  assertEquals(new URL(location, "http://localhost/support/docs/").pathname, "/support/docs");
});
