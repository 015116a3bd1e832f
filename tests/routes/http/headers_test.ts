import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { openService } from "../../support/service.ts";

const TENANT = "/v1/tenants/acme/support-requests";

Deno.test("every answer is kept from caches, frames and sniffing, and has an id of its own", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ kv });
  const answers = [
    await service.call("/livez"),
    await service.call("/nowhere"),
    await service.call(TENANT, { method: "PUT" }),
    await service.call(TENANT, { json: { summary: "Help" } }),
    await service.call(TENANT, { json: {} }),
    await service.call(TENANT, { token: null, json: {} }),
    await service.call("/v1/tenants/acme/audit-events"),
    await service.call("/v1/tenants/theirs/audit-events"),
  ];
  kv.close();
  answers.push(await service.call(`${TENANT}/latest`), await service.call("/readyz"));
  const ids = new Set<string>();
  for (const { headers } of answers) {
    assertEquals(headers.get("Cache-Control"), "no-store");
    assertEquals(headers.get("X-Content-Type-Options"), "nosniff");
    assertEquals(headers.get("X-Frame-Options"), "DENY");
    assertEquals(headers.get("Referrer-Policy"), "no-referrer");
    assertMatch(headers.get("Content-Security-Policy")!, /default-src 'none'/);
    assertMatch(headers.get("Strict-Transport-Security")!, /max-age=\d{7,}/);
    ids.add(headers.get("X-Request-Id")!);
  }
  assertEquals(ids.size, answers.length);
});

Deno.test("a request id that the client chose is kept where it is a short word", async () => {
  await using service = await openService();
  const sent = async (id: string) =>
    (await service.call("/livez", { headers: { "X-Request-Id": id } })).headers.get("X-Request-Id");
  for (const id of ["a", "3f2a-B_7=", "r".repeat(255)]) assertEquals(await sent(id), id);
  for (const id of ["", "r".repeat(256), "a b", `"a"`, "<b>", "a\tb", "é", "a,b", "{}"]) {
    const given = await sent(id);
    assertNotEquals(given, id);
    assert(given !== null && /^[\w-]{1,255}$/.test(given));
  }
});
