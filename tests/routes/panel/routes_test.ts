import { assertEquals, assertMatch } from "@std/assert";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

Deno.test("a pinned script is the current one, cached for good and verified by its hash", async () => {
  await using service = await openService();
  const current = await service.call("/panel.js", { token: null });
  const script = await current.bytes();
  const described = await service.call("/panel/integrity.json", { token: null });
  const { path, integrity, version } = await described.json();
  assertMatch(version, /^[0-9a-f]{16}$/);
  assertEquals(path, `/panel/${version}.js`);

  const pinned = await service.call(path, { token: null });
  assertEquals(await pinned.bytes(), script);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", script));
  assertEquals(integrity, `sha384-${digest.toBase64()}`);
  assertEquals(pinned.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  for (const { headers } of [current, described, pinned]) {
    // Without these, a page of another origin could not check the hash.
    assertEquals(headers.get("Access-Control-Allow-Origin"), "*");
    assertEquals(headers.get("Cross-Origin-Resource-Policy"), "cross-origin");
    assertMatch(headers.get("ETag")!, /^"[\w-]+"$/);
  }
});

Deno.test("a version of another release is not found rather than another script", async () => {
  await using service = await openService();
  for (const path of ["/panel/0000000000000000.js", "/panel/x.js", "/panel/"]) {
    await assertProblem(await service.call(path, { token: null }), 404, "not-found");
  }
});
