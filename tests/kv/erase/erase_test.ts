import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { Erasure } from "../../../domain/model/audit.ts";
import { StoreUnavailableError } from "../../../domain/ports/store.ts";
import { Eraser, type EraserOptions } from "../../../kv/erase/eraser.ts";
import type { ErasureScope } from "../../../kv/erase/targets.ts";
import { Retention } from "../../../kv/retention.ts";
import { ADA, BOB, fill } from "./fixtures.ts";
import { openTestStore } from "../fixtures.ts";
import { FakeClock } from "../../support/clock.ts";
import { DAY_MS, run, START } from "../../support/constants.ts";
import { contents, difference } from "../../support/kv_file.ts";
import { claim, requestIn } from "../../support/records.ts";
import { type KvHooks, wrapKv } from "../../support/wrap_kv.ts";

const TENANT: ErasureScope = { kind: "tenant", tenantId: "acme" };
const ACTOR: ErasureScope = { kind: "actor", tenantId: "acme", actorId: ADA.id };

const isErasure = ([key]: [string, string]) => key.startsWith('["erasure"');

function eraserOf(kv: Deno.Kv, options: Partial<EraserOptions> & { days?: number } = {}) {
  const waits: number[] = [];
  const wait = (ms: number) => Promise.resolve(void waits.push(ms));
  const clock = { now: () => START, wait };
  const retention = new Retention(options.days ?? null);
  return { eraser: new Eraser(kv, { clock, retention, isExclusive: true, ...options }), waits };
}

/** Opens a KV with records of several tenants and actors, and returns its contents. */
async function openFilled() {
  const kv = await Deno.openKv(":memory:");
  await fill(kv);
  return { kv, before: await contents(kv), [Symbol.dispose]: () => kv.close() };
}

Deno.test("erasing a tenant deletes every record of it and of no other tenant", async () => {
  using test = await openFilled();
  const { deleted, tickets, doubtful } = await eraserOf(test.kv).eraser.erase(TENANT);
  const after = await contents(test.kv);
  for (const key of difference(test.before, after).keys()) {
    assert(/"acme["/]|"lease"/.test(key), key);
  }
  const left = [...after].filter(([key, value]) =>
    /"acme["/]/.test(key) || value.includes('"tenantId":"acme"')
  );
  assertEquals(left.map(([key]) => JSON.parse(key)[0]), ["erasure"]);
  assertEquals(deleted, {
    supportRequests: 6,
    auditEvents: 10,
    idempotencyKeys: 6,
    leases: 2,
    rateCounters: 2,
  });
  assertEquals([tickets.size, doubtful.size], [4, 2]);
  assertEquals(after.size, test.before.size - 26 + 1);
});

Deno.test("erasing an actor deletes the person's records and no others", async () => {
  using test = await openFilled();
  const tally = await eraserOf(test.kv).eraser.erase(ACTOR);
  const after = await contents(test.kv);
  const isAcme = ([key, value]: [string, string]) => /"acme["/]/.test(key + value);
  const ofAcme = [...after].filter(isAcme).join("\n");
  assertEquals([ofAcme.includes("7f3c"), ofAcme.includes("9d1e")], [false, true]);
  const others = (map: Map<string, string>) => new Map([...map].filter((e) => !isAcme(e)));
  const left = others(after);
  for (const [key] of others(test.before)) {
    if (!key.startsWith('["lease"')) assert(left.has(key), key);
  }
  assertEquals(tally.deleted, {
    supportRequests: 3,
    auditEvents: 5,
    idempotencyKeys: 3,
    leases: 1,
    rateCounters: 1,
  });
  assertEquals(tally.anonymizedAuditEvents, 1);
  // Bob's own records are unchanged, except for the event whose actor was Ada.
  const changed = difference(after, test.before);
  const [event] = [...changed].filter((entry) => !isErasure(entry));
  assertEquals(changed.size, 2);
  const value = JSON.parse(event![1]);
  assertEquals([value.event, value.actor], ["handoff.created", { id: "erased" }]);
  assertEquals({ ...value, actor: ADA }, JSON.parse(test.before.get(event![0])!));
});

for (const scope of [TENANT, ACTOR]) {
  const { kind } = scope;

  Deno.test(`erasing (${kind}) writes one erasure record, without any name`, async () => {
    using test = await openFilled();
    const { deleted, anonymizedAuditEvents } = await eraserOf(test.kv).eraser.erase(scope);
    const [[key, value], ...more] = [...await contents(test.kv)].filter(isErasure) as [
      [string, string],
    ];
    const at = new Date(START).toISOString();
    assertEquals(more, []);
    assertEquals(JSON.parse(key).slice(0, 3), ["erasure", "acme", START]);
    const erasure = { event: `${kind}.erased`, at, deleted, anonymizedAuditEvents };
    assertEquals(Erasure.strict().parse(JSON.parse(value)), erasure);
  });

  Deno.test(`find (${kind}) counts what erasing deletes, and deletes nothing`, async () => {
    using test = await openFilled();
    const found = await eraserOf(test.kv).eraser.find(scope);
    assertEquals(await contents(test.kv), test.before);
    assertEquals(found, await eraserOf(test.kv).eraser.erase(scope));
    const again = await eraserOf(test.kv).eraser.erase(scope);
    assertEquals([...Object.values(again.deleted), again.anonymizedAuditEvents], Array(6).fill(0));
    assertEquals([...await contents(test.kv)].filter(isErasure).length, 1);
  });

  Deno.test(`an interrupted erasure (${kind}) is completed by another run`, async () => {
    const finished = async (failAt: number) => {
      using test = await openFilled();
      const { kv, failed } = failing(test.kv, failAt);
      // One record per commit, so that it can be interrupted between any two.
      const first = eraserOf(kv, { maxMutations: 1 }).eraser.erase(scope);
      if (await failed(first)) {
        const state = await contents(test.kv);
        const counted = [...state].filter(isErasure).map(([, value]) => {
          const { deleted, anonymizedAuditEvents } = Erasure.parse(JSON.parse(value));
          return [anonymizedAuditEvents, ...Object.values(deleted)].reduce((a, b) => a + b);
        });
        assertEquals(counted, failAt === 0 ? [] : [failAt], "the record counts what was deleted");
        assertEquals(difference(test.before, state).size, failAt);
      }
      await eraserOf(test.kv).eraser.erase(scope);
      const after = [...await contents(test.kv)].filter((entry) => !isErasure(entry));
      return after.map(([key, value]) => shapeOf(key) + shapeOf(value)).sort();
    };
    const uninterrupted = await finished(Infinity);
    for (let failAt = 0; failAt < 13; failAt++) {
      assertEquals(await finished(failAt), uninterrupted);
    }
  });
}

/** Returns the text without references and UUIDs, which are random. */
function shapeOf(json: string): string {
  return json.replaceAll(/SR-\w{26}/g, "SR").replaceAll(/[\da-f-]{36}/g, "uuid");
}

/** Returns a KV on which every commit from the given one on fails. */
function failing(kv: Deno.Kv, failAt: number) {
  let commits = 0;
  const onCommit: KvHooks["onCommit"] = (commit) =>
    commits++ >= failAt ? Promise.reject(new Error("power failure")) : commit();
  const failed = async (erasure: Promise<unknown>) => {
    try {
      await erasure;
      return false;
    } catch (error) {
      assert(error instanceof StoreUnavailableError);
      return true;
    }
  };
  return { kv: wrapKv(kv, { onCommit }), failed };
}

Deno.test("erasing keeps each commit within the limits of a KV Connect server", async () => {
  using kv = await Deno.openKv(":memory:");
  using test = await openTestStore({ kv });
  const wide = "😀".repeat(255);
  for (let i = 0; i < 300; i++) {
    const request = requestIn(run(`r-${i}`), { createdBy: { id: wide } });
    await test.store.append(request, claim({ actorId: wide, key: `${"~".repeat(250)}${i}` }));
  }
  const most = { checks: 0, mutations: 0, keyBytes: 0 };
  const bytesOf = (key: Deno.KvKey) => new TextEncoder().encode(key.join("")).length;
  const counted = wrapKv(kv, {
    onCommit(commit, { checks, sets, deletes }) {
      const keys = [...checks, ...sets].map(({ key }) => key).concat(deletes);
      most.checks = Math.max(most.checks, checks.length);
      most.mutations = Math.max(most.mutations, sets.length + deletes.length);
      most.keyBytes = Math.max(most.keyBytes, keys.reduce((sum, key) => sum + bytesOf(key), 0));
      return commit();
    },
  });
  const { eraser } = eraserOf(counted);
  const scope = { ...ACTOR, actorId: wide };
  const found = await eraser.find(scope);
  assertEquals([found.deleted.supportRequests, found.deleted.idempotencyKeys], [300, 300]);
  assertEquals((await eraser.erase(scope)).deleted, found.deleted);
  assertLessOrEqual(most.checks, 10);
  assertLessOrEqual(most.mutations, 1_000);
  assertLessOrEqual(most.keyBytes, 81_920);
});

Deno.test("erasures of the same millisecond write one record each", async () => {
  using test = await openFilled();
  for (const { id } of [ADA, BOB]) {
    await eraserOf(test.kv, { maxMutations: 3 }).eraser.erase({ ...ACTOR, actorId: id });
  }
  assertEquals([...await contents(test.kv)].filter(isErasure).length, 2);
});

Deno.test("erasing a shared store deletes records that are written in the meantime", async () => {
  using test = await openFilled();
  using other = await openTestStore({ kv: test.kv, isExclusive: false });
  const late = requestIn(run("late"), { createdBy: ADA });
  const landing = [
    async () => {
      const appended = await other.store.append(late, claim({ actorId: ADA.id, key: "late" }));
      assert(appended.outcome === "stored");
      // Resumed by somebody else, and written after the request was deleted.
      await other.store.recordSuperseded(appended.stored, {
        status: "failed",
        reason: "desk_timeout",
        summary: "late",
        ticketMayExist: true,
        at: late.createdAt,
      }, BOB);
    },
    async () => void await other.store.append(requestIn(run("later"), { createdBy: ADA })),
  ];
  const waits: number[] = [];
  const wait = async (ms: number) => {
    waits.push(ms);
    await landing.shift()?.();
  };
  const clock = { now: () => START, wait };
  await eraserOf(test.kv, { clock, isExclusive: false }).eraser.erase(ACTOR);
  const left = JSON.stringify(
    [...await contents(test.kv)].filter(([key]) => /"acme["/]/.test(key)),
  );
  assertEquals([left.includes("7f3c"), left.includes(late.reference)], [false, false]);
  assertEquals(waits, [5_000, 5_000, 5_000]);
});

Deno.test("erasing gives up if records keep being written, and says what to do", async () => {
  using test = await openFilled();
  using other = await openTestStore({ kv: test.kv, isExclusive: false });
  const wait = async () => void await other.store.append(requestIn(run("r"), { createdBy: ADA }));
  const { eraser } = eraserOf(test.kv, {
    clock: { now: () => START, wait },
    isExclusive: false,
  });
  await assertRejects(() => eraser.erase(ACTOR), StoreUnavailableError, "revoke the tokens");
});

Deno.test("erasing expired records deletes exactly those beyond the retention period", async () => {
  using kv = await Deno.openKv(":memory:");
  using test = await openTestStore({ kv });
  const ages = [0, 89, 90, 91, 400];
  for (const days of ages) {
    const request = requestIn(run(`age-${days}`), { now: START - days * DAY_MS });
    await test.store.append(request, claim({ key: `${days}` }));
  }
  const { deleted } = await eraserOf(kv, { days: 90 }).eraser.erase({ kind: "expired" });
  const keys = (await Array.fromAsync(kv.list({ prefix: [] }))).map(({ key }) => key);
  const runs = keys.filter(([kind]) => kind === "run").map(([, name]) => name);
  assertEquals(runs, ["acme/age-0", "acme/age-89"]);
  assertEquals(keys.filter(([kind]) => kind === "audit").length, 2);
  assertEquals([deleted.supportRequests, deleted.auditEvents], [3, 3]);
  assertEquals(keys.filter(([kind]) => kind === "erasure"), [], "as for records that KV removes");
});

Deno.test("reads omit expired records that were stored without a retention period", async () => {
  using kv = await Deno.openKv(":memory:");
  const clock = new FakeClock();
  using before = await openTestStore({ kv });
  for (const [id, days] of [["old", 91], ["new", 89]] as const) {
    await before.store.append(requestIn(run(id), { now: START - days * DAY_MS }));
  }
  for (const isExclusive of [true, false]) {
    using after = await openTestStore({ kv, clock, retentionDays: 90, isExclusive });
    const latest = (id: string) => after.store.latest(run(id));
    assertEquals([await latest("old"), (await latest("new"))?.request.context], [null, run("new")]);
    const { events } = await after.store.auditEvents("acme", 10);
    assertEquals(events.map(({ context }) => context), [run("new")]);
  }
});

Deno.test("records that do not parse are erased with a tenant, and counted otherwise", async () => {
  using test = await openFilled();
  await test.kv.set(["tenant", "acme", 1], { contact: "broken" });
  await test.kv.set(["run", "acme/r-1", 1], 42);
  await test.kv.set(["audit", "acme", 1, "SR-", "x"], null);
  const { eraser } = eraserOf(test.kv);
  assertEquals((await eraser.erase(ACTOR)).unreadable, 3);
  const { deleted, unreadable } = await eraser.erase(TENANT);
  assertEquals([deleted.supportRequests, deleted.auditEvents, unreadable], [5, 6, 0]);
});

Deno.test("erasing an actor deletes the requests that a newer version wrote", async () => {
  using test = await openFilled();
  const request = { ...requestIn(run("new"), { createdBy: ADA }), schema: 2 };
  await test.kv.set(["run", "acme/new", 1], { ...request, handoff: { status: 7, ticket: null } });
  const { deleted, doubtful, unreadable } = await eraserOf(test.kv).eraser.erase(ACTOR);
  assertEquals([deleted.supportRequests, unreadable], [4, 0]);
  assert(doubtful.has(request.reference));
  assertEquals((await test.kv.get(["run", "acme/new", 1])).value, null);
});

Deno.test("erasing ends for an actor whose ID is that of erased actors", async () => {
  using test = await openFilled();
  const { eraser } = eraserOf(test.kv);
  await eraser.erase(ACTOR);
  const { anonymizedAuditEvents } = await eraser.erase({ ...ACTOR, actorId: "erased" });
  assertEquals(anonymizedAuditEvents, 0);
});
