import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { SupportContext } from "../../../domain/model/context.ts";
import { toTimestamp } from "../../../domain/model/handoff.ts";
import { createStore } from "../../../kv/store.ts";
import { MAX_BODY_BYTES } from "../../../routes/http/json_body.ts";
import { FakeClock } from "../../support/clock.ts";
import { AUTH_SECRET, deskEnv, TENANT } from "../../support/constants.ts";
import { type Call, openService } from "../../support/service.ts";
import { requestIn } from "../../support/records.ts";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { mintToken } from "../../demo/token.ts";
import { assertProblem } from "../assert_problem.ts";
import { waitFor } from "../../support/wait_for.ts";
import { hasLease } from "../../support/kv_file.ts";

const CONTEXTS: [string, SupportContext][] = [
  [TENANT, { kind: "tenant", tenantId: "acme" }],
  ["/v1/tenants/acme/runs/r-1/support-requests", { kind: "run", tenantId: "acme", runId: "r-1" }],
];
const ACME = CONTEXTS[0]![1];
const GRACE = { token: { sub: "u-2", name: "Grace" } };

/** Two processes with one store, desk and clock; the second has a shorter desk timeout. */
async function openPair(env: Record<string, string> = {}) {
  const desk = startFakeDesk();
  const kv = await Deno.openKv(":memory:");
  const clock = new FakeClock({ now: Date.now() });
  const shared = {
    ...deskEnv(desk),
    // A KV server: no process may rely on what only it knows.
    KV_PATH: "http://127.0.0.1:4512",
    DENO_KV_ACCESS_TOKEN: "a token for tests",
    ...env,
  };
  const one = await openService({ kv, clock, env: shared });
  const other = await openService({
    kv,
    clock,
    env: { ...shared, SUPPORT_DESK_TIMEOUT_MS: "100" },
  });
  const store = createStore(kv, {
    clock,
    retentionDays: null,
    isExclusive: false,
  });

  /** Stores what a process that dies while it calls the desk leaves, `leftMs` before its deadline. */
  async function leavePending(context: SupportContext, leftMs: number): Promise<string> {
    const request = requestIn(context, {
      now: clock.now(),
      createdBy: { id: "u-1", name: "Ada" },
      handoff: {
        status: "pending",
        since: toTimestamp(clock.now()),
        until: toTimestamp(clock.now() + leftMs),
      },
    });
    await store.append(request);
    return request.reference;
  }

  return {
    desk,
    clock,
    kv,
    one,
    other,
    store,
    leavePending,
    async [Symbol.asyncDispose]() {
      await desk.close();
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      kv.close();
    },
  };
}

type Service = Awaited<ReturnType<typeof openService>>;

function resume({ call }: Service, path: string, options: Call = GRACE): Promise<Response> {
  return call(`${path}/latest/resume`, { method: "POST", ...options });
}

async function latest({ call }: Service, path: string) {
  return (await (await call(`${path}/latest`)).json()).supportRequest;
}

for (const [path, context] of CONTEXTS) {
  Deno.test(`anybody who may submit in a ${context.kind} can resume its interrupted handoff`, async () => {
    await using pair = await openPair();
    const { one, desk, clock } = pair;
    const reference = await pair.leavePending(context, 15_000);
    clock.offset = 15_001;
    assertEquals((await latest(one, path)).handoff.reason, "interrupted");

    const response = await resume(one, path);
    assertEquals(response.status, 200);
    const body = await response.json();
    assertEquals([body.reference, body.handoff.status], [reference, "created"]);
    assertEquals(body.createdBy, { id: "u-1", name: "Ada" });
    assertEquals(await latest(one, path), body);
    assertEquals(desk.tickets.length, 1);
    const { events } = await (await one.call("/v1/tenants/acme/audit-events")).json();
    assertEquals(
      events.map(({ event, actor }: { event: string; actor: unknown }) => [event, actor]),
      [
        ["handoff.created", { id: "u-2", name: "Grace" }],
        ["request.submitted", { id: "u-1", name: "Ada" }],
      ],
    );
    assertEquals(await (await resume(one, path)).json(), body);
    assertEquals(desk.tickets.length, 1);
  });

  Deno.test(`a resume in a ${context.kind} without a request is 404 and says what to do`, async () => {
    await using pair = await openPair();
    const own = await assertProblem(await resume(pair.one, path), 404, "not-found");
    const foreign = { token: { tenants: ["other"] } };
    const others = await assertProblem(await resume(pair.one, path, foreign), 404, "not-found");
    assertNotEquals(own.detail, others.detail);
  });
}

Deno.test("a resume adopts the ticket that the interrupted handoff had created", async () => {
  await using pair = await openPair();
  const { one, desk, clock } = pair;
  // The service creates the ticket, so that it has our form.
  await pair.leavePending(ACME, 0);
  clock.offset = 1;
  const pending = await pair.store.latest(ACME);
  assertEquals((await resume(one, TENANT)).status, 200);
  await pair.kv.set(["tenant", "acme", pending!.ts], pending!.record);
  const body = await (await resume(one, TENANT)).json();
  assertEquals(body.handoff.ticket.reference, desk.tickets[0]!.id);
  assertEquals(desk.tickets.length, 1);
});

Deno.test("a resume of a request that was not interrupted changes and sends nothing", async () => {
  await using pair = await openPair();
  const { one, desk } = pair;
  for (
    const [mode, handoff] of [
      ["normal", { mode: "none" }],
      ["normal", { mode: "link", ticket: "7" }],
      ["normal", { mode: "create" }],
      ["reject", { mode: "create" }],
    ] as const
  ) {
    desk.behave(mode);
    const stored = await (await one.call(TENANT, { json: { summary: "Help", handoff } })).json();
    desk.behave("normal");
    const before = desk.tickets.length;
    const response = await resume(one, TENANT);
    assertEquals([response.status, await response.json()], [200, stored]);
    assertEquals(desk.tickets.length, before);
  }
});

Deno.test("a resume says how long a handoff in another process may still take", async () => {
  await using pair = await openPair();
  const { one, other, clock } = pair;
  await pair.leavePending(ACME, 15_000);
  for (const [offset, seconds] of [[0, 15], [4_000, 11], [4_001, 11], [14_999, 1], [15_000, 1]]) {
    clock.offset = offset!;
    for (const service of [one, other]) {
      const response = await resume(service, TENANT);
      assertEquals(response.headers.get("Retry-After"), String(seconds));
      const { detail } = await assertProblem(response, 409, "handoff-in-progress");
      assertMatch(detail, new RegExp(` ${seconds} s$`));
    }
  }
  clock.offset = 15_001;
  assertEquals((await resume(other, TENANT)).status, 200);
});

Deno.test("a shorter desk timeout does not make another process's handoff interrupted", async () => {
  await using pair = await openPair();
  const { one, other, desk, clock } = pair;
  desk.behave("hang");
  const submission = one.call(TENANT, { json: { summary: "Help", handoff: { mode: "create" } } });
  await waitFor("the submission is stored", () => latest(other, TENANT));
  // By its own configuration, the second process would consider it interrupted after 10.1 s.
  for (const offset of [10_101, 14_999]) {
    clock.offset = offset;
    assertEquals((await latest(other, TENANT)).handoff.status, "pending");
    await assertProblem(await resume(other, TENANT), 409, "handoff-in-progress");
  }
  await desk.close();
  assertEquals((await submission).status, 201);
});

Deno.test("a resume in progress is not resumed again, and 409 says when its lease ends", async () => {
  await using pair = await openPair();
  const { one, other, desk, clock } = pair;
  await pair.leavePending(ACME, 15_000);
  clock.offset = 20_000;
  desk.behave("hang");
  const first = resume(one, TENANT);
  await waitFor("the lease is written", () => hasLease(pair.kv));
  // The first has a desk timeout of five seconds: its lease ends ten seconds later.
  clock.offset = 22_000;
  const response = await resume(other, TENANT);
  assertEquals(response.headers.get("Retry-After"), "13");
  await assertProblem(response, 409, "handoff-in-progress");
  await assertProblem(await resume(one, TENANT), 409, "handoff-in-progress");
  await desk.close();
  const body = await (await first).json();
  assertEquals(body.handoff.reason, "interrupted", "the desk gave no clear response");
});

Deno.test("four concurrent resumes in two processes create one ticket", async () => {
  await using pair = await openPair();
  const { one, other, desk, clock } = pair;
  for (let round = 0; round < 10; round++) {
    await pair.leavePending(ACME, 0);
    clock.offset += 1_000;
    const responses = await Promise.all(
      [one, other, one, other].map((service) => resume(service, TENANT)),
    );
    const statuses = responses.map(({ status }) => status);
    assert(statuses.includes(200), "one of them resumes it");
    assert(statuses.every((status) => status === 200 || status === 409));
    await Promise.all(responses.map(({ body }) => body?.cancel()));
    assertEquals((await latest(one, TENANT)).handoff.status, "created");
    assertEquals(desk.tickets.length, round + 1);
  }
});

Deno.test("a resume needs no body, and accepts any JSON", async () => {
  await using pair = await openPair();
  await pair.leavePending(ACME, 15_000);
  pair.clock.offset = 15_001;
  const json = { "Content-Type": "application/json" };
  const empty = new ReadableStream({ start: (controller) => controller.close() });
  const bodies: Call[] = [
    {},
    { headers: { "Content-Length": "0" } },
    { body: "" },
    { body: empty },
    { body: "{}", headers: json },
  ];
  for (const call of [...bodies, { body: `[null, "x"]`, headers: json }]) {
    assertEquals((await resume(pair.one, TENANT, call)).status, 200);
  }
  for (
    const [status, slug, call] of [
      [415, "not-json", { body: "x", headers: { "Content-Type": "text/plain" } }],
      [415, "encoded-body", { body: "{}", headers: { ...json, "Content-Encoding": "gzip" } }],
      [413, "body-too-large", { body: " ".repeat(MAX_BODY_BYTES + 1), headers: json }],
      [400, "malformed-json", { body: "{", headers: json }],
    ] as const
  ) {
    await assertProblem(await resume(pair.one, TENANT, call), status, slug);
  }
});

Deno.test("a resume requires the scope of a submission, and counts like one", async () => {
  await using pair = await openPair({ RATE_LIMIT_PER_MINUTE: "2" });
  const reader = { token: { scope: "support_requests:read" } };
  await assertProblem(await resume(pair.one, TENANT, reader), 403, "insufficient-scope");
  await assertProblem(await resume(pair.one, TENANT, { token: null }), 401, "unauthenticated");
  assertEquals((await pair.one.call(TENANT, { json: { summary: "Help" }, ...GRACE })).status, 201);
  assertEquals((await resume(pair.one, TENANT)).status, 200);
  await assertProblem(await resume(pair.other, TENANT), 429, "rate-limited");
});

Deno.test("no response shows the deadline of a pending handoff", async () => {
  await using pair = await openPair();
  const { one, desk } = pair;
  desk.behave("hang");
  const submission = one.call(TENANT, { json: { summary: "Help", handoff: { mode: "create" } } });
  let summary = await latest(one, TENANT);
  while (summary === null) summary = await latest(one, TENANT);
  const audit = await (await one.call("/v1/tenants/acme/audit-events")).json();
  const since = summary.createdAt;
  assertEquals(summary.handoff, { status: "pending", since });
  assertEquals(audit.events[0].handoff, { status: "pending", since });
  const [record] = await Array.fromAsync(
    pair.kv.list<{ handoff: unknown }>({ prefix: ["tenant"] }),
  );
  const until = toTimestamp(Date.parse(since) + 15_000);
  assertEquals(record!.value.handoff, { status: "pending", since, until });
  await desk.close();
  await (await submission).body?.cancel();
});

Deno.test("a resume over a socket needs neither a body nor a Content-Type", async () => {
  await using service = await openService();
  await service.call(TENANT, { json: { summary: "Printer on fire" } });
  const token = await mintToken(AUTH_SECRET, {});
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    service.app.fetch,
  );
  const { port } = server.addr;
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  // Neither a length nor a body, as `curl -X POST` sends it.
  const head = [
    `POST ${TENANT}/latest/resume HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    "Connection: close",
  ];
  await client.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  const response = await new Response(client.readable).text();
  assertMatch(response, /^HTTP\/1\.1 200 OK/);
  await server.shutdown();
});
