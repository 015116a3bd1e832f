import { assertEquals, assertLess, assertMatch, assertNotEquals } from "@std/assert";
import { openService } from "../../support/service.ts";

const FILES = [
  "/panel.js",
  "/openapi.json",
  "/",
  "/docs/home.css",
  "/docs",
  "/docs/guide.css",
  "/docs/guide.js",
  "/docs/explorer",
  "/docs/explorer.css",
  "/docs/explorer.js",
  "/docs/swagger-ui-bundle.js",
  "/docs/swagger-ui.css",
];

const GZIP = { "Accept-Encoding": "br, gzip;q=0.8" };

async function unzipped(response: Response): Promise<Uint8Array> {
  const stream = response.body!.pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).bytes();
}

for (const path of FILES) {
  Deno.test(`${path} is the same compressed and plain, with an entity tag for each`, async () => {
    await using service = await openService();
    const plain = await service.call(path, { token: null });
    const bytes = await plain.bytes();
    assertEquals(plain.headers.get("Content-Encoding"), null);
    assertEquals(plain.headers.get("Content-Length"), String(bytes.length));
    const zipped = await service.call(path, { token: null, headers: GZIP });
    assertEquals(zipped.headers.get("Content-Encoding"), "gzip");
    const length = Number(zipped.headers.get("Content-Length"));
    assertLess(length, bytes.length);
    const copy = zipped.clone();
    assertEquals((await copy.bytes()).length, length);
    assertEquals(await unzipped(zipped), bytes);
    for (const { headers } of [plain, zipped]) {
      assertMatch(headers.get("ETag")!, /^"[\w-]+"$/);
      assertMatch(headers.get("Cache-Control")!, /^public, max-age=\d+$/);
      assertEquals(headers.get("Vary"), "Accept-Encoding");
    }
    assertNotEquals(plain.headers.get("ETag"), zipped.headers.get("ETag"));
  });

  Deno.test(`${path} is 304 for its tag, and HEAD is GET without the body`, async () => {
    await using service = await openService();
    for (const coding of [{}, GZIP]) {
      const headers = { ...coding, "X-Request-Id": "r-1" };
      const get = await service.call(path, { token: null, headers });
      await get.body?.cancel();
      const head = await service.call(path, { token: null, method: "HEAD", headers });
      assertEquals([head.status, await head.text()], [200, ""]);
      assertEquals([...head.headers], [...get.headers]);
      const tag = get.headers.get("ETag")!;
      for (const names of [tag, `"x", W/${tag}`, "*"]) {
        const same = await service.call(path, {
          token: null,
          headers: { ...headers, "If-None-Match": names },
        });
        assertEquals([same.status, await same.text()], [304, ""]);
        assertEquals(same.headers.get("ETag"), tag);
        assertEquals(same.headers.get("Content-Length"), null);
        assertEquals(same.headers.get("Cache-Control"), get.headers.get("Cache-Control"));
      }
      const other = await service.call(path, {
        token: null,
        headers: { ...headers, "If-None-Match": `"other"` },
      });
      assertEquals(other.status, 200);
      await other.body?.cancel();
    }
  });
}

for (
  const [accepted, coding] of [
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["*", "gzip"],
    ["identity, gzip;q=0.001", "gzip"],
    ["deflate, *;q=0.5", "gzip"],
    ["", null],
    ["br", null],
    ["gzip;q=0", null],
    ["gzip;q=0, *", null],
    ["*;q=0", null],
    ["xgzip", null],
    ["gzip;q=x", null],
  ] as const
) {
  Deno.test(`a file is ${coding ?? "plain"} for a client that accepts '${accepted}'`, async () => {
    await using service = await openService();
    const response = await service.call("/panel.js", { headers: { "Accept-Encoding": accepted } });
    assertEquals(response.headers.get("Content-Encoding"), coding);
    await response.body?.cancel();
  });
}

Deno.test("a file for pages of any origin varies by origin if some are configured", async () => {
  await using service = await openService({ env: { CORS_ORIGINS: "https://app.example" } });
  const response = await service.call("/panel.js", { token: null });
  assertEquals(response.headers.get("Access-Control-Allow-Origin"), "*");
  assertEquals(response.headers.get("Cross-Origin-Resource-Policy"), "cross-origin");
  assertEquals(response.headers.get("Vary"), "Accept-Encoding, Origin");
  await response.body?.cancel();
});
