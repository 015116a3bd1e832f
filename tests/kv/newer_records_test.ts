/** Records of other versions: how those of a newer one are read, and how an older one reads ours. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type z, ZodError } from "zod";
import type { StoredRequest } from "../../domain/ports/store.ts";
import {
  AuditEventV1,
  IdempotencyRecordV1,
  LeaseRecordV1,
  SupportRequestV1,
} from "./golden/v1_schemas.ts";
import golden from "./golden/v1.json" with { type: "json" };
import { startFakeDesk } from "../demo/fake_desk.ts";
import { openTestStore } from "./fixtures.ts";
import { FakeClock } from "../support/clock.ts";
import { ACME, deskEnv } from "../support/constants.ts";
import { type Call, openService } from "../support/service.ts";
import { created, pendingIn, requestIn } from "../support/records.ts";
import { waitFor } from "../support/wait_for.ts";
import { hasLease } from "../support/kv_file.ts";

const PATH = "/v1/tenants/acme/support-requests";
const CREATE = { summary: "Help", handoff: { mode: "create" } };

/** Fields that a newer version might add, wherever a record has an object. */
const FIELD = { fromTheFuture: { nested: ["kept", 1, true, null] } };

type TestStore = Awaited<ReturnType<typeof openTestStore>>;

/** Stores `request`, then replaces its record by `change(record)`, as a newer version would. */
async function written(
  { kv, store }: TestStore,
  change: (record: Record<string, unknown>) => object,
  request = pendingIn(ACME),
): Promise<StoredRequest> {
  const appended = await store.append(request);
  assert(appended.outcome === "stored");
  const key = ["tenant", "acme", appended.stored.ts];
  await kv.set(key, change({ ...request }));
  return (await store.reload(appended.stored))!;
}

/** Opens the service on a KV in memory, with a desk and a clock. */
async function openPlace() {
  const desk = startFakeDesk();
  const kv = await Deno.openKv(":memory:");
  const clock = new FakeClock({ now: "real" });
  const env = {
    ...deskEnv(desk),
    SUPPORT_DESK_TIMEOUT_MS: "500",
  };
  const service = await openService({ kv, clock, env });
  return {
    desk,
    kv,
    clock,
    service,
    async send(path: string, call: Call = {}) {
      const response = await service.call(path, call);
      return { status: response.status, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await desk.close();
      await service[Symbol.asyncDispose]();
      kv.close();
    },
  };
}

Deno.test("a finalization preserves every field that this version does not know", async () => {
  using test = await openTestStore();
  const full = requestIn(ACME, {
    contact: { name: "Ada", email: "ada@acme.example" },
    diagnostics: { build: "1" },
    handoff: pendingIn(ACME).handoff,
  });
  const newer = (record: Record<string, unknown>) => ({
    ...record,
    ...FIELD,
    context: { ...record.context as object, ...FIELD },
    createdBy: { ...record.createdBy as object, ...FIELD },
    contact: { ...record.contact as object, ...FIELD },
    handoff: { ...record.handoff as object, ...FIELD },
  });
  const stored = await written(test, newer, full);
  assertEquals(stored.request, full, "what this version knows is served");
  assertEquals(stored.isNewer, false);
  assert(await test.store.finalize(stored, created("42")));
  const { record } = (await test.store.latest(ACME))!;
  assertEquals(record, { ...newer({ ...full }), handoff: { ...FIELD, ...created("42") } });
});

Deno.test("no response shows a field that this version does not know", async () => {
  await using place = await openPlace();
  await place.send(PATH, { json: CREATE });
  for await (const { key, value } of place.kv.list<Record<string, object>>({ prefix: [] })) {
    if (!["tenant", "audit"].includes(String(key[0]))) continue;
    const inside = ["context", "createdBy", "actor", "handoff"].filter((name) => name in value)
      .map((name) => [name, { ...value[name], ...FIELD }]);
    await place.kv.set(key, { ...value, ...FIELD, ...Object.fromEntries(inside) });
  }
  // Responses are also validated against the OpenAPI document, which has no other field.
  for (const path of [`${PATH}/latest`, "/v1/tenants/acme/audit-events"]) {
    const { status, body } = await place.send(path);
    assertEquals(status, 200);
    assert(!JSON.stringify(body).includes("fromTheFuture"), path);
  }
});

for (
  const [name, change, shown] of [
    ["schema 2", { schema: 2 }, { status: "none" }],
    ["schema 99 with other forms of what is optional", {
      schema: 99,
      description: ["a", "list"],
      contact: "ada@acme.example",
      diagnostics: [],
    }, { status: "none" }],
    ["an unknown severity", { severity: "cosmic" }, { status: "none" }],
    ["an unknown status", { handoff: { status: "escalated", to: "board" } }, {
      status: "failed",
      reason: "interrupted",
      ticketMayExist: true,
    }],
    ["an unknown status in schema 2", { schema: 2, handoff: { status: "escalated" } }, {
      status: "failed",
      reason: "interrupted",
      ticketMayExist: true,
    }],
    ["an unknown reason that leaves no ticket", {
      handoff: {
        status: "failed",
        reason: "desk_on_holiday",
        summary: "Acme IT desk is on holiday.",
        ticketMayExist: false,
        at: "2026-11-23T12:00:01.000Z",
      },
    }, {
      status: "failed",
      reason: "desk_unreachable",
      summary: "Acme IT desk is on holiday.",
      ticketMayExist: false,
    }],
    ["an unknown reason that may leave one", {
      handoff: {
        status: "failed",
        reason: "desk_asleep",
        summary: "Acme IT desk fell asleep.",
        ticketMayExist: true,
        at: "2026-11-23T12:00:01.000Z",
      },
    }, {
      status: "failed",
      reason: "desk_error",
      summary: "Acme IT desk fell asleep.",
      ticketMayExist: true,
    }],
    ["a known reason with a longer sentence", {
      handoff: {
        status: "failed",
        reason: "desk_timeout",
        summary: "y".repeat(300),
        ticketMayExist: true,
        at: "2026-11-23T12:00:01.000Z",
      },
    }, { status: "failed", reason: "desk_timeout", summary: `${"y".repeat(199)}…` }],
  ] as const
) {
  Deno.test(`a record of a newer version is served and never written: ${name}`, async () => {
    await using place = await openPlace();
    await place.send(PATH, { json: { summary: "Help" }, headers: { "Idempotency-Key": "k-1" } });
    const [entry] = await Array.fromAsync(place.kv.list<object>({ prefix: ["tenant"] }));
    await place.kv.set(entry!.key, { ...entry!.value, ...change });
    const before = await Array.fromAsync(place.kv.list({ prefix: [] }));
    place.clock.offset = 60_000;

    const latest = await place.send(`${PATH}/latest`);
    const resumed = await place.send(`${PATH}/latest/resume`, { method: "POST" });
    const replayed = await place.send(PATH, {
      json: { summary: "Help" },
      headers: { "Idempotency-Key": "k-1" },
    });
    assertEquals([latest.status, resumed.status, replayed.status], [200, 200, 201]);
    const { handoff, summary } = latest.body.supportRequest;
    assertEquals(summary, "Help");
    assertEquals({ ...handoff, ...shown }, handoff);
    assertEquals(resumed.body, latest.body.supportRequest);
    assertEquals(replayed.body, latest.body.supportRequest);
    assertEquals(await Array.fromAsync(place.kv.list({ prefix: [] })), before);
    assertEquals(place.desk.tickets, []);
    const lines = place.service.lines.filter(({ message }) => message.includes("newer version"));
    assertEquals(lines.map(({ level, reference }) => [level, reference]), [
      ["warn", latest.body.supportRequest.reference],
      ["warn", latest.body.supportRequest.reference],
      ["warn", latest.body.supportRequest.reference],
    ]);
  });
}

Deno.test("a pending handoff of a newer schema reads as interrupted and is not resumed", async () => {
  await using place = await openPlace();
  const since = "2026-11-23T12:00:00.000Z";
  const request = { ...pendingIn(ACME), schema: 2, handoff: { status: "pending", since } };
  await place.kv.set(["tenant", "acme", 1], request);
  const { status, body } = await place.send(`${PATH}/latest/resume`, { method: "POST" });
  assertEquals([status, body.handoff.reason], [200, "interrupted"]);
  assertEquals(place.desk.tickets, []);
  assertEquals((await place.kv.get(["tenant", "acme", 1])).value, request);
});

Deno.test("the store never writes a record of a newer version", async () => {
  using test = await openTestStore();
  const stored = await written(test, (record) => ({ ...record, schema: 2 }));
  assertEquals(stored.isNewer, true);
  const before = await Array.fromAsync(test.kv.list({ prefix: [] }));
  await assertRejects(() => test.store.finalize(stored, created("1")), Error, "newer version");
  await assertRejects(
    () => test.store.recordSuperseded(stored, created("1")),
    Error,
    "newer version",
  );
  assertEquals(await Array.fromAsync(test.kv.list({ prefix: [] })), before);
});

Deno.test("a request can be submitted after one of a newer version", async () => {
  await using place = await openPlace();
  await place.kv.set(["tenant", "acme", 1], { ...requestIn(ACME), schema: 2 });
  const { status, body } = await place.send(PATH, { json: { summary: "Another" } });
  assertEquals(status, 201);
  assertEquals((await place.send(`${PATH}/latest`)).body.supportRequest, body);
});

Deno.test("an audit page omits events of a newer version and logs how many", async () => {
  await using place = await openPlace();
  await place.send(PATH, { json: { summary: "Help" } });
  const [entry] = await Array.fromAsync(place.kv.list<object>({ prefix: ["audit"] }));
  const [, , ts, reference] = entry!.key;
  const newer = [
    { event: "handoff.escalated" },
    { context: { kind: "project", tenantId: "acme", projectId: "p-1" } },
    { event: "handoff.escalated" },
  ];
  for (const [i, fields] of newer.entries()) {
    const { event = "request.submitted" } = fields;
    const key = ["audit", "acme", Number(ts) + 1 + i, reference!, event];
    await place.kv.set(key, { ...entry!.value, ...fields });
  }
  let cursor = "";
  const pages = [];
  do {
    const { status, body } = await place.send(
      `/v1/tenants/acme/audit-events?limit=1${cursor && `&cursor=${cursor}`}`,
    );
    assertEquals(status, 200);
    pages.push(body.events.length);
    cursor = body.nextCursor ?? "";
  } while (cursor !== "" && pages.length < 10);
  assertEquals(pages, [0, 0, 0, 1]);
  const lines = place.service.lines.filter(({ message }) => message.includes("audit event"));
  assertEquals(lines.length, 3);
});

Deno.test("a record whose known fields do not parse is not served", async () => {
  using test = await openTestStore();
  for (const broken of [{ schema: 2 }, { schema: 1.5 }, { schema: 0 }, { handoff: "none" }]) {
    const change = (record: Record<string, unknown>) =>
      Object.keys(broken)[0] === "schema" && broken.schema === 2
        ? { schema: 2 }
        : { ...record, ...broken };
    await assertRejects(() => written(test, change), ZodError);
  }
});

Deno.test("version 1 parses each record that this version writes", async () => {
  await using place = await openPlace();
  const { desk, kv, clock } = place;
  const full = {
    description: "Since Monday.\nNothing was changed.",
    severity: "critical",
    contact: { name: "Ada", email: "ada@acme.example" },
    diagnostics: { build: "4.2.0" },
  };
  for (const mode of ["normal", "reject", "error", "rubbish", "refuse", "rate-limit"] as const) {
    desk.behave(mode);
    await place.send(PATH, { json: { ...full, ...CREATE }, headers: { "Idempotency-Key": mode } });
  }
  await place.send(PATH, { json: { summary: "Help" } });
  await place.send(PATH, { json: { summary: "Help", handoff: { mode: "link", ticket: "7" } } });
  desk.behave("hang");
  const keyed = { json: CREATE, headers: { "Idempotency-Key": "pending" } };
  const hanging = place.send(PATH, keyed);
  const isPending = async () =>
    (await place.send(`${PATH}/latest`)).body.supportRequest.handoff.status === "pending";
  await waitFor("the submission is pending", isPending);
  // Another process resumes it, which writes a lease.
  clock.offset = 20_000;
  const other = await openService({
    kv,
    clock,
    env: {
      ...deskEnv(desk),
    },
  });
  const resuming = other.call(`${PATH}/latest/resume`, { method: "POST" });
  await waitFor("the lease is written", () => hasLease(kv));

  const schemas = {
    tenant: SupportRequestV1,
    audit: AuditEventV1,
    idempotency: IdempotencyRecordV1,
    lease: LeaseRecordV1,
  };
  const seen = new Set<string>();
  for await (const { key, value } of kv.list({ prefix: [] })) {
    const kind = String(key[0]) as keyof typeof schemas;
    if (!(kind in schemas)) continue;
    seen.add(kind);
    const parsed: unknown = schemas[kind].parse(value);
    assertEquals(parsed, asVersion1(value as Record<string, unknown>));
  }
  assertEquals(seen.size, 4);
  await desk.close();
  await Promise.all([hanging, resuming.then(({ body }) => body?.cancel())]);
  await other[Symbol.asyncDispose]();
});

function asVersion1(value: Record<string, unknown>) {
  const { fingerprintVersion: _, ...fields } = value;
  if (fields.handoff === undefined) return fields;
  const { until: __, ...handoff } = fields.handoff as Record<string, unknown>;
  return { ...fields, handoff };
}

Deno.test("the frozen schemas of version 1 parse the records that version 1 wrote", () => {
  const schemas: Record<string, z.ZodType> = {
    tenant: SupportRequestV1,
    run: SupportRequestV1,
    audit: AuditEventV1,
    idempotency: IdempotencyRecordV1,
    lease: LeaseRecordV1,
  };
  for (const { key, value } of golden.entries) {
    const schema = schemas[String(key[0])];
    if (schema !== undefined) assertEquals<unknown>(schema.parse(value), value);
  }
});

/** What README.md says about version 1 beside this one: it responds with 500, and nothing is lost. */
for (
  const [name, submission, isAudited] of [
    ["a long diagnostics value", { diagnostics: { trace: "x".repeat(501) } }, false],
    ["diagnostics in lines", { diagnostics: { trace: "a\n\tb" } }, false],
    ["an email as browsers check it", { contact: { email: "r&d@acme.example" } }, false],
    ["a run id of a scheduler", { runId: "manual__2026-11-23T12:00:00+00:00" }, true],
    ["a desk that was not called", { handoff: { mode: "create" } }, true],
  ] as const
) {
  Deno.test(`version 1 cannot read a record that it would have rejected: ${name}`, async () => {
    await using place = await openPlace();
    const { runId, ...fields } = { runId: undefined, ...submission };
    const path = runId === undefined
      ? PATH
      : `/v1/tenants/acme/runs/${encodeURIComponent(runId)}/support-requests`;
    if ("handoff" in fields) {
      // The circuit opens after five timeouts.
      place.desk.behave("hang");
      const hanging = Array.from({ length: 5 }, () => place.send(PATH, { json: CREATE }));
      await Promise.all(hanging);
    }
    const { body } = await place.send(path, { json: { summary: "Help", ...fields } });
    const unreadable = new Set<unknown>();
    for await (const { key, value } of place.kv.list<{ reference: string }>({ prefix: [] })) {
      if (value.reference !== body.reference) continue;
      const schema = key[0] === "audit" ? AuditEventV1 : SupportRequestV1;
      if (!schema.safeParse(value).success) unreadable.add(key[0]);
    }
    const request = runId === undefined ? "tenant" : "run";
    assertEquals(unreadable, new Set(isAudited ? ["audit", request] : [request]));
  });
}
