import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { install } from "@sinonjs/fake-timers";
import type { SupportContext } from "../../domain/model/context.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { openStore } from "../../kv/client/open.ts";
import { createStore } from "../../kv/store.ts";
import { created, pendingIn, requestIn } from "./fixtures.ts";
import { FakeClock } from "../support/clock.ts";
import { ACME, DAY_MS, run, START } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";

type Commit = "works" | "lands unanswered" | "lands late";

/** Stages of one commit: the next begins only when this one has landed. */
function stages() {
  return {
    begun: Promise.withResolvers<void>(),
    land: Promise.withResolvers<void>(),
    landed: Promise.withResolvers<void>(),
  };
}

/** A store over a real KV that counts its reads, and can hold back what they find. */
async function openWatched({ retentionDays = null }: { retentionDays?: number | null } = {}) {
  const kv = await Deno.openKv(":memory:");
  const clock = new FakeClock();
  const reads: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  let held = Promise.withResolvers<void>();
  let commit: Commit = "works";
  let next = stages();

  async function answer<T>(found: Promise<T>): Promise<T> {
    await found;
    held.resolve();
    await gate;
    return await found;
  }

  const reader = {
    getMany: async (keys: Deno.KvKey[]) => {
      reads.push(`get ${keys.length}`);
      return await answer(kv.getMany(keys));
    },
    async *list(selector: Deno.KvListSelector, options: Deno.KvListOptions) {
      reads.push("list");
      yield* await answer(Array.fromAsync(kv.list(selector, options)));
    },
    get: (key: Deno.KvKey) => kv.get(key),
  } as unknown as Deno.Kv;

  const atomic = () => {
    const operation = kv.atomic();
    const write = operation.commit.bind(operation);
    operation.commit = async () => {
      const { begun, land, landed } = next;
      begun.resolve();
      if (commit === "lands late") await land.promise;
      const result = await write();
      landed.resolve();
      if (commit === "lands unanswered") throw new Error("no answer");
      return result;
    };
    return operation;
  };
  const writer = { atomic, getMany: kv.getMany.bind(kv) } as unknown as Deno.Kv;
  const store = createStore(writer, { clock, retentionDays, isExclusive: true, reader });
  return {
    kv,
    store,
    clock,
    reads,
    /** Holds back what reads find until `letGo` is called; `held` resolves when the first is done. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      held = Promise.withResolvers();
      return { letGo: resolve, held: held.promise };
    },
    commits(outcome: Commit) {
      commit = outcome;
      next = stages();
    },
    /** Resolves when the next commit is on its way. */
    begun: () => next.begun.promise,
    /** Lets the commit that lands late land. */
    async land() {
      const { begun, land, landed } = next;
      await begun.promise;
      next = stages();
      land.resolve();
      await landed.promise;
    },
    async ask(context: SupportContext = ACME) {
      const request = requestIn(context, { now: clock.now() });
      const appended = await store.append(request);
      assert(appended.outcome === "stored");
      return request.reference;
    },
    latest: async (context: SupportContext = ACME) =>
      (await store.latest(context))?.request.reference,
    [Symbol.dispose]: () => kv.close(),
  };
}

Deno.test("latest reads the key that it knows, and lists only once", async () => {
  using test = await openWatched();
  const first = pendingIn(ACME);
  await test.kv.set(["tenant", "acme", START * 1000], first);
  assertEquals(await test.latest(), first.reference);
  assertEquals(await test.latest(), first.reference);
  const second = await test.ask();
  assertEquals(await test.latest(), second);
  // One for the first read, and one because the first write must know what it sorts after.
  assertEquals(test.reads, ["list", "get 1", "list", "get 1"]);
});

Deno.test("latest is read once for all who ask for one context while a read is under way", async () => {
  using test = await openWatched();
  const reference = await test.ask();
  test.reads.length = 0;
  const { letGo } = test.hold();
  const all = Array.from({ length: 50 }, () => test.latest());
  letGo();
  assertEquals(new Set(await Promise.all(all)), new Set([reference]));
  assert(test.reads.length <= 2, test.reads.join());
});

Deno.test("latest parses a revision once, and shows the next one", async () => {
  using watched = await openWatched();
  const { kv, store } = watched;
  const appended = await store.append(pendingIn(ACME));
  assert(appended.outcome === "stored");
  await store.latest(ACME); // lists
  const first = await store.latest(ACME);
  assertStrictEquals((await store.latest(ACME))?.request, first?.request);
  await store.finalize(appended.stored, created("42"));
  assertEquals((await store.latest(ACME))?.request.handoff, created("42"));
  // By another hand than the store's: what KV has counts, not what was parsed before.
  const key = ["tenant", "acme", appended.stored.ts];
  await kv.set(key, { ...appended.stored.request, summary: "Mended by hand" });
  assertEquals((await store.latest(ACME))?.request.summary, "Mended by hand");
  await kv.delete(key);
  assertEquals(await store.latest(ACME), null);
});

Deno.test("latest keeps a thousand revisions as they were parsed, and no more", async () => {
  using test = await openWatched();
  const contexts = Array.from({ length: 1_001 }, (_, i) => run(`r-${i}`));
  const read = async (context: SupportContext) => (await test.store.latest(context))?.request;
  const first = [];
  for (const context of contexts) {
    await test.ask(context);
    first.push(await read(context));
  }
  assertStrictEquals(await read(contexts[1]!), first[1]);
  const again = await read(contexts[0]!);
  assertEquals(again, first[0]);
  assert(again !== first[0]);
});

Deno.test("latest is read for ten contexts at a time", async () => {
  using test = await openWatched();
  const contexts = Array.from({ length: 25 }, (_, i) => run(`r-${i}`));
  const references = [];
  for (const context of contexts) references.push(await test.ask(context));
  test.reads.length = 0;
  const { letGo } = test.hold();
  const first = test.latest();
  const all = contexts.map((context) => test.latest(context));
  letGo();
  assertEquals(await Promise.all(all), references);
  await first;
  assertEquals(test.reads.filter((read) => read !== "list"), ["get 10", "get 10", "get 5"]);
});

Deno.test("latest shows what was acknowledged before it was asked for, whatever is being read", async () => {
  using test = await openWatched();
  await test.ask();
  const { letGo } = test.hold();
  const before = test.latest();
  const reference = await test.ask();
  const after = test.latest();
  letGo();
  await before;
  assertEquals(await after, reference);
});

Deno.test("latest shows a request whose commit landed though nobody was told so", async () => {
  using test = await openWatched();
  const first = await test.ask();
  assertEquals(await test.latest(), first);
  test.commits("lands unanswered");
  await assertRejects(() => test.ask(), StoreUnavailableError);
  const found = await test.latest();
  assert(found !== undefined && found !== first);
  test.commits("works");
  assertEquals(await test.ask(), await test.latest());
});

Deno.test("latest shows a request whose commit landed after its two seconds, and after a read", async () => {
  using test = await openWatched();
  const first = await test.ask();
  test.commits("lands late");
  await assertRejects(() => test.ask(), StoreUnavailableError, "within 2000 ms");
  assertEquals(await test.latest(), first);
  await test.land();
  const found = await test.latest();
  assert(found !== undefined && found !== first);
});

Deno.test("latest shows a request whose commit began late and landed after whoever asked had given up", async () => {
  using test = await openWatched();
  const first = await test.ask();
  await test.ask(run("r-1"));
  const time = install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    test.commits("lands late");
    const other = test.ask(run("r-1"));
    const refused = assertRejects(() => test.ask(), StoreUnavailableError, "within 2000 ms");
    time.tick(1500);
    await test.land();
    await other;
    await test.begun();
    // Two seconds after it was asked, but half a second after its commit began.
    time.tick(500);
    await refused;
    assertEquals(await test.latest(), first);
    await test.land();
    const found = await test.latest();
    assert(found !== undefined && found !== first);
  } finally {
    time.uninstall();
  }
});

Deno.test("latest shows a request that landed unanswered while an older one was being read", async () => {
  using test = await openWatched();
  test.commits("lands unanswered");
  await assertRejects(() => test.ask(), StoreUnavailableError);
  const { letGo, held } = test.hold();
  const before = test.latest();
  await held;
  await assertRejects(() => test.ask(), StoreUnavailableError);
  letGo();
  const older = await before;
  const found = await test.latest();
  assert(older !== undefined && found !== undefined && found !== older);
});

Deno.test("latest shows an older request once the newer one's record is gone", async () => {
  using test = await openWatched({ retentionDays: 30 });
  test.clock.time = START + DAY_MS;
  const older = await test.ask();
  // The clock jumps back: the later one is over sooner.
  test.clock.time = START;
  const newer = await test.ask();
  assertEquals(await test.latest(), newer);
  for await (const { key, value } of test.kv.list<{ reference: string }>({ prefix: ["tenant"] })) {
    if (value.reference === newer) await test.kv.delete(key);
  }
  assertEquals(await test.latest(), older);
});

Deno.test("latest fails for all who shared a read that failed, and for nobody after them", async () => {
  using test = await openWatched();
  const reference = await test.ask();
  const record = await Array.fromAsync(test.kv.list({ prefix: ["tenant"] }));
  await test.kv.set(record[0]!.key, "not a request");
  const all = await Promise.allSettled([test.latest(), test.latest(), test.latest()]);
  assertEquals(all.map(({ status }) => status), ["rejected", "rejected", "rejected"]);
  await test.kv.set(record[0]!.key, record[0]!.value);
  assertEquals(await test.latest(), reference);
});

Deno.test("latest fails for the one context whose record cannot be read, and for none beside it", async () => {
  using test = await openWatched();
  const contexts = ["a", "b", "c"].map((runId) => run(runId));
  for (const context of contexts) {
    await test.store.append(requestIn(context));
    await test.store.latest(context);
  }
  const [entry] = await Array.fromAsync(test.kv.list({ prefix: ["run", "acme/a"] }));
  await test.kv.set(entry!.key, { schema: 0 });
  const { letGo } = test.hold();
  const first = test.store.latest(ACME);
  const together = Promise.allSettled(contexts.map((context) => test.store.latest(context)));
  letGo();
  await first;
  const reads = await together;
  assertEquals(reads.map(({ status }) => status), ["rejected", "fulfilled", "fulfilled"]);
  assertEquals(test.reads.at(-1), "get 3");
});

Deno.test("latest on a file is read through a handle of its own, and shows each acknowledged request", async () => {
  await using file = await temporaryPath();
  const opened = await openStore({ kind: "file", path: file.path });
  assert(opened.reader !== opened.kv);
  const clock = new FakeClock();
  const { reader } = opened;
  const store = createStore(opened.kv, { clock, retentionDays: null, isExclusive: true, reader });
  await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    for (let n = 0; n < 50; n++) {
      const request = requestIn(run(`r-${i}`));
      await store.append(request);
      assertEquals((await store.latest(run(`r-${i}`)))?.request.reference, request.reference);
    }
  }));
  opened.close();
});
