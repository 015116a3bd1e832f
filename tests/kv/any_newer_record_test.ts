/** Whatever a newer version may have written (see `kv/README.md`), each call responds to it as promised. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Eraser } from "../../kv/erase/eraser.ts";
import { Retention } from "../../kv/retention.ts";
import { FakeClock } from "../support/clock.ts";
import { RUN, TENANT } from "../support/constants.ts";
import { contents } from "../support/kv_file.ts";
import { openService } from "../support/service.ts";

type Json = Record<string, unknown>;

const AUDIT = "/v1/tenants/acme/audit-events";
const SUBMISSION = { json: { summary: "Help" }, headers: { "Idempotency-Key": "k-1" } };
const AT = "2026-11-23T12:00:00.000Z";

const anything = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>;
const newName = fc.constantFrom("escalated", "project", "cosmic", "constructor", "__proto__", "");
const newFields = fc.dictionary(fc.constantFrom("team", "tags", "kind2"), anything, { maxKeys: 2 });
/** An object with a name that this version does not know at `field`, and any other fields. */
const named = (field: string) =>
  fc.tuple(newFields, newName).map(([fields, name]) => ({ ...fields, [field]: name }));
const newFailure = fc.record({
  status: fc.constant("failed"),
  reason: newName,
  summary: fc.string({ minLength: 1, maxLength: 300 }),
  ticketMayExist: fc.boolean(),
  at: fc.constant(AT),
});

/** What a newer version may change in a request, each of which this version must notice. */
const newRequest = fc.oneof(
  fc.record({ severity: newName }),
  fc.record({ handoff: fc.oneof(named("status"), newFailure) }),
  fc.record({ context: named("kind") }),
  fc.record({ schema: fc.integer({ min: 2, max: 99 }) }).chain(({ schema }) =>
    fc.record({
      schema: fc.constant(schema),
      severity: anything,
      handoff: anything,
      description: anything,
      contact: anything,
      diagnostics: anything,
    }, { requiredKeys: ["schema"] })
  ),
);
const newEvent = fc.oneof(
  // Such an event may have other fields altogether.
  named("event"),
  fc.tuple(fc.constant({ event: "handoff.failed" }), named("kind"))
    .map(([event, context]) => ({ ...event, context })),
);

/** Opens the service on a request that a newer version changed, and its other records. */
async function openChanged(path: string, change: Json, fields: Json) {
  const kv = await Deno.openKv(":memory:");
  const clock = new FakeClock({ now: "real" });
  const service = await openService({ kv, clock });
  const submitted = await service.call(path, SUBMISSION);
  assertEquals(submitted.status, 201);
  await submitted.body?.cancel();
  for (const { key, value } of await Array.fromAsync(kv.list<Json>({ prefix: [] }))) {
    const isRequest = key[0] === "tenant" || key[0] === "run";
    if (["audit", "idempotency"].includes(String(key[0]))) {
      await kv.set(key, { ...value, ...fields });
    }
    if (isRequest) await kv.set(key, { ...value, ...fields, ...change });
  }
  return {
    kv,
    clock,
    service,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      kv.close();
    },
  };
}

for (const path of [TENANT, RUN]) {
  Deno.test(`any request of a newer version is served and not written: ${path}`, async () => {
    await fc.assert(
      fc.asyncProperty(newRequest, newFields, async (change, fields) => {
        await using changed = await openChanged(path, change, fields);
        const { kv, clock, service } = changed;
        const before = await contents(kv);
        clock.offset = 60_000;
        const latest = await service.call(`${path}/latest`);
        const resumed = await service.call(`${path}/latest/resume`, { method: "POST" });
        const replayed = await service.call(path, SUBMISSION);
        assertEquals([latest.status, resumed.status, replayed.status], [200, 200, 201]);
        const { supportRequest } = await latest.json();
        assertEquals(supportRequest.context.kind, path === RUN ? "run" : "tenant");
        assertEquals([await resumed.json(), await replayed.json()], [
          supportRequest,
          supportRequest,
        ]);
        const audit = await service.call(AUDIT);
        assertEquals([audit.status, (await audit.json()).events.length], [200, 1]);
        assertEquals(await contents(kv), before);
        assert(service.lines.some(({ event }) => event === "newer_record"));
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("any audit event of a newer version is omitted, and logged", async () => {
  await fc.assert(
    fc.asyncProperty(newEvent, async (event) => {
      await using changed = await openChanged(TENANT, {}, {});
      const { kv, service } = changed;
      const ts = Date.now() * 1000 + 1_000_000;
      await kv.set(
        ["audit", "acme", ts, "SR-", String("event" in event ? event.event : "")],
        event,
      );
      const response = await service.call(AUDIT);
      assertEquals([response.status, (await response.json()).events.length], [200, 1]);
      assert(service.lines.some(({ event }) => event === "newer_record"));
    }),
    { numRuns: 60 },
  );
});

Deno.test("a key of a request in a kind of context of a newer version is not reused", async () => {
  const keys = fc.tuple(newName, fc.array(fc.oneof(fc.string(), fc.integer())))
    .map(([kind, others]) => [kind, ...others]);
  await fc.assert(
    fc.asyncProperty(keys, async (recordKey) => {
      await using changed = await openChanged(TENANT, {}, { recordKey });
      const { kv, service } = changed;
      const before = await contents(kv);
      const link = {
        ...SUBMISSION,
        json: { summary: "Help", handoff: { mode: "link", ticket: "1" } },
      };
      const quoted = { ...SUBMISSION, headers: { "Idempotency-Key": `"k-1"` } };
      service.lines.length = 0;
      for (const call of [SUBMISSION, link, quoted]) {
        const response = await service.call(TENANT, call);
        assertEquals(response.status, 422);
        assertEquals((await response.json()).type, "/problems/idempotency-key-reused");
        assertEquals(service.lines.splice(0).map(({ event }) => event), [
          "newer_record",
          "request_completed",
        ]);
      }
      assertEquals(await contents(kv), before);
      // It expires as any other.
      const [{ key, value }] = await Array.fromAsync(
        kv.list<Json>({ prefix: ["idempotency"] }),
      ) as [
        Deno.KvEntry<Json>,
      ];
      await kv.set(key, { ...value, expiresAt: Date.now() - 1 });
      const later = await service.call(TENANT, SUBMISSION);
      assertEquals(later.status, 201);
      await later.body?.cancel();
    }),
    { numRuns: 30 },
  );
});

Deno.test("an erasure deletes any request and event of a newer version in its scope", async () => {
  const clock = new FakeClock({ now: "real" });
  const options = { clock, retention: new Retention(null), isExclusive: true };
  await fc.assert(
    fc.asyncProperty(newRequest, newFields, async (change, fields) => {
      for (const scope of [{ kind: "tenant" }, { kind: "actor", actorId: "u-1" }] as const) {
        await using changed = await openChanged(RUN, change, fields);
        const { deleted, unreadable } = await new Eraser(changed.kv, options)
          .erase({ ...scope, tenantId: "acme" });
        assertEquals([deleted.supportRequests, deleted.auditEvents, unreadable], [1, 1, 0]);
        const left = await Array.fromAsync(changed.kv.list({ prefix: [] }));
        assertEquals(left.map(({ key }) => key[0]), ["erasure"]);
      }
    }),
    { numRuns: 30 },
  );
});
