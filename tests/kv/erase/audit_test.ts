import { assertEquals } from "@std/assert";
import { Eraser } from "../../../kv/erase/eraser.ts";
import { Retention } from "../../../kv/retention.ts";
import { openService } from "../../support/service.ts";
import { AuditEventV1 } from "../golden/v1_schemas.ts";

const ACME = "/v1/tenants/acme";

/** Opens a service with requests of two people in one tenant, and its eraser. */
async function openErasable() {
  const service = await openService();
  const submit = async (sub: string, summary = "Printer on fire") => {
    const token = { sub, tenants: ["acme", "globex"] };
    const response = await service.call(`${ACME}/support-requests`, { token, json: { summary } });
    await response.body?.cancel();
  };
  const get = async (path: string) => (await service.call(path)).json();
  let now = Date.parse("2026-11-23T12:00:00.000Z");
  const clock = { now: () => now++, wait: () => Promise.resolve() };
  const options = { clock, retention: new Retention(null), isExclusive: true };
  const eraser = new Eraser(service.kv, options);
  return { service, submit, get, eraser, [Symbol.asyncDispose]: service[Symbol.asyncDispose] };
}

Deno.test("the first page of audit events shows the erasures, newest first", async () => {
  await using test = await openErasable();
  const { submit, get, eraser } = test;
  for (const sub of ["ada", "bob", "bob"]) await submit(sub);
  assertEquals("erasures" in await get(`${ACME}/audit-events`), false);
  await eraser.erase({ kind: "actor", tenantId: "acme", actorId: "ada" });
  const { events, erasures, nextCursor } = await get(`${ACME}/audit-events?limit=1`);
  assertEquals([events.length, erasures.length, erasures[0].event], [1, 1, "actor.erased"]);
  assertEquals(erasures[0].deleted.supportRequests, 1);
  const next = await get(`${ACME}/audit-events?limit=1&cursor=${nextCursor}`);
  assertEquals([next.events.length, "erasures" in next], [1, false]);
  await eraser.erase({ kind: "tenant", tenantId: "acme" });
  const after = await get(`${ACME}/audit-events`);
  assertEquals(after.events, []);
  const names = after.erasures.map(({ event }: { event: string }) => event);
  assertEquals(names, ["tenant.erased", "actor.erased"]);
  assertEquals((await get(`${ACME}/support-requests/latest`)).supportRequest, null);
});

Deno.test("an erasure in one tenant is not shown in another", async () => {
  await using test = await openErasable();
  await test.submit("ada");
  await test.eraser.erase({ kind: "tenant", tenantId: "acme" });
  const response = await test.service.call("/v1/tenants/globex/audit-events", {
    token: { tenants: ["globex"] },
  });
  assertEquals(await response.json(), { events: [], nextCursor: null });
});

Deno.test("version 1 parses every audit event that an erasure leaves", async () => {
  await using test = await openErasable();
  for (const sub of ["ada", "bob"]) await test.submit(sub);
  await test.eraser.erase({ kind: "actor", tenantId: "acme", actorId: "ada" });
  const entries = await Array.fromAsync(test.service.kv.list({ prefix: ["audit", "acme"] }));
  assertEquals(entries.map(({ value }) => AuditEventV1.parse(value).actor.id), ["bob"]);
});
