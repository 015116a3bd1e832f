import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { install } from "@sinonjs/fake-timers";
import type { SupportContext } from "../../domain/model/context.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { openStore } from "../../kv/open/open_store.ts";
import { createStore } from "../../kv/store.ts";
import { FakeClock } from "../support/clock.ts";
import { ACME, DAY_MS, run, START } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { created, pendingIn, requestIn } from "../support/records.ts";
import { wrapKv } from "../support/wrap_kv.ts";

/** Whether a commit is applied normally, is applied although it fails, or is applied late. */
type CommitBehavior = "normal" | "applied but failed" | "late";

/** The stages of one commit; the next commit starts only after this one has been applied. */
function stages() {
  return {
    started: Promise.withResolvers<void>(),
    apply: Promise.withResolvers<void>(),
    applied: Promise.withResolvers<void>(),
  };
}

/** A store on a real KV that records its reads, and can hold their results and its commits back. */
async function openWatched({ retentionDays = null }: { retentionDays?: number | null } = {}) {
  const kv = await Deno.openKv(":memory:");
  const clock = new FakeClock();
  const reads: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  let firstRead = Promise.withResolvers<void>();
  let behavior: CommitBehavior = "normal";
  let next = stages();

  const reader = wrapKv(kv, {
    async onRead(read, { method }) {
      reads.push(method);
      const result = await read();
      firstRead.resolve();
      await gate;
      return result;
    },
  });
  const writer = wrapKv(kv, {
    async onCommit(commit) {
      const { started, apply, applied } = next;
      started.resolve();
      if (behavior === "late") await apply.promise;
      const result = await commit();
      applied.resolve();
      if (behavior === "applied but failed") throw new Error("no response");
      return result;
    },
  });
  const store = createStore(writer, { clock, retentionDays, isExclusive: true, reader });
  return {
    kv,
    store,
    clock,
    reads,
    /** Holds the results of reads back until `release` is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      firstRead = Promise.withResolvers();
      return { release: resolve, firstRead: firstRead.promise };
    },
    setCommits(to: CommitBehavior) {
      behavior = to;
      next = stages();
    },
    /** Resolves when the next commit has started. */
    commitStarted: () => next.started.promise,
    /** Applies the late commit. */
    async apply() {
      const { started, apply, applied } = next;
      await started.promise;
      next = stages();
      apply.resolve();
      await applied.promise;
    },
    async submit(context: SupportContext = ACME) {
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

Deno.test("latest lists a context's requests only until their last key is known", async () => {
  using test = await openWatched();
  const first = pendingIn(ACME);
  await test.kv.set(["tenant", "acme", START * 1000], first);
  for (let i = 0; i < 5; i++) assertEquals(await test.latest(), first.reference);
  const second = await test.submit();
  for (let i = 0; i < 5; i++) assertEquals(await test.latest(), second);
  // One for the first read, and one for the first write, which needs a later sort key.
  assertLessOrEqual(test.reads.filter((method) => method === "list").length, 2);
});

Deno.test("64 concurrent reads of a context need at most two reads of KV", async () => {
  using test = await openWatched();
  const reference = await test.submit();
  test.reads.length = 0;
  const { release } = test.hold();
  const all = Array.from({ length: 64 }, () => test.latest());
  release();
  assertEquals(new Set(await Promise.all(all)), new Set([reference]));
  assertLessOrEqual(test.reads.length, 2);
});

Deno.test("latest parses each revision once and shows the next one", async () => {
  using watched = await openWatched();
  const { kv, store } = watched;
  const appended = await store.append(pendingIn(ACME));
  assert(appended.outcome === "stored");
  await store.latest(ACME); // lists
  const first = await store.latest(ACME);
  assertStrictEquals((await store.latest(ACME))?.request, first?.request);
  await store.finalize(appended.stored, created("42"));
  assertEquals((await store.latest(ACME))?.request.handoff, created("42"));
  // Not written by the store: what KV has counts, not the parsed record.
  const key = ["tenant", "acme", appended.stored.ts];
  await kv.set(key, { ...appended.stored.request, summary: "Edited by hand" });
  assertEquals((await store.latest(ACME))?.request.summary, "Edited by hand");
  await kv.delete(key);
  assertEquals(await store.latest(ACME), null);
});

Deno.test("latest has at most a thousand parsed records in memory", async () => {
  using test = await openWatched();
  const contexts = Array.from({ length: 1_001 }, (_, i) => run(`r-${i}`));
  const read = async (context: SupportContext) => (await test.store.latest(context))?.request;
  const first = [];
  for (const context of contexts) {
    await test.submit(context);
    first.push(await read(context));
  }
  assertStrictEquals(await read(contexts[1]!), first[1]);
  const again = await read(contexts[0]!);
  assertEquals(again, first[0]);
  assert(again !== first[0]);
});

Deno.test("concurrent reads of many contexts need a tenth as many reads of KV", async () => {
  using test = await openWatched();
  const contexts = Array.from({ length: 64 }, (_, i) => run(`r-${i}`));
  const references = [];
  for (const context of contexts) references.push(await test.submit(context));
  test.reads.length = 0;
  const { release } = test.hold();
  const first = test.latest();
  const all = contexts.map((context) => test.latest(context));
  release();
  assertEquals(await Promise.all(all), references);
  await first;
  assertLessOrEqual(test.reads.length, 1 + Math.ceil(64 / 10));
});

Deno.test("latest shows every request acknowledged before the call, even during a read", async () => {
  using test = await openWatched();
  await test.submit();
  const { release } = test.hold();
  const before = test.latest();
  const reference = await test.submit();
  const after = test.latest();
  release();
  await before;
  assertEquals(await after, reference);
});

Deno.test("latest shows a request whose commit was applied although it failed", async () => {
  using test = await openWatched();
  const first = await test.submit();
  assertEquals(await test.latest(), first);
  test.setCommits("applied but failed");
  await assertRejects(() => test.submit(), StoreUnavailableError);
  const found = await test.latest();
  assert(found !== undefined && found !== first);
  test.setCommits("normal");
  assertEquals(await test.submit(), await test.latest());
});

Deno.test("latest shows a request that was applied after its timeout and a read", async () => {
  using test = await openWatched();
  const first = await test.submit();
  test.setCommits("late");
  await assertRejects(() => test.submit(), StoreUnavailableError, "within 2000 ms");
  assertEquals(await test.latest(), first);
  await test.apply();
  const found = await test.latest();
  assert(found !== undefined && found !== first);
});

Deno.test("latest shows a request that was queued, timed out and was applied later", async () => {
  using test = await openWatched();
  const first = await test.submit();
  await test.submit(run("r-1"));
  const time = install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    test.setCommits("late");
    const other = test.submit(run("r-1"));
    const rejected = assertRejects(() => test.submit(), StoreUnavailableError, "within 2000 ms");
    time.tick(1500);
    await test.apply();
    await other;
    await test.commitStarted();
    // Two seconds after the submission, but half a second after its commit started. A timeout may
    // end 100 ms late.
    time.tick(600);
    await rejected;
    assertEquals(await test.latest(), first);
    await test.apply();
    const found = await test.latest();
    assert(found !== undefined && found !== first);
  } finally {
    time.uninstall();
  }
});

Deno.test("latest shows a request whose commit failed during a read and was applied", async () => {
  using test = await openWatched();
  test.setCommits("applied but failed");
  await assertRejects(() => test.submit(), StoreUnavailableError);
  const { release, firstRead } = test.hold();
  const before = test.latest();
  await firstRead;
  await assertRejects(() => test.submit(), StoreUnavailableError);
  release();
  const older = await before;
  const found = await test.latest();
  assert(older !== undefined && found !== undefined && found !== older);
});

Deno.test("latest shows an older request once the newer one has expired", async () => {
  using test = await openWatched({ retentionDays: 30 });
  test.clock.time = START + DAY_MS;
  const older = await test.submit();
  // The clock jumps back, so the later request expires sooner.
  test.clock.time = START;
  const newer = await test.submit();
  assertEquals(await test.latest(), newer);
  for await (const { key, value } of test.kv.list<{ reference: string }>({ prefix: ["tenant"] })) {
    if (value.reference === newer) await test.kv.delete(key);
  }
  assertEquals(await test.latest(), older);
});

Deno.test("latest fails for all callers that share a failed read, and not for later ones", async () => {
  using test = await openWatched();
  const reference = await test.submit();
  const record = await Array.fromAsync(test.kv.list({ prefix: ["tenant"] }));
  await test.kv.set(record[0]!.key, "not a request");
  const all = await Promise.allSettled([test.latest(), test.latest(), test.latest()]);
  assertEquals(all.map(({ status }) => status), ["rejected", "rejected", "rejected"]);
  await test.kv.set(record[0]!.key, record[0]!.value);
  assertEquals(await test.latest(), reference);
});

Deno.test("latest fails only for the context whose record does not parse", async () => {
  using test = await openWatched();
  const contexts = ["a", "b", "c"].map((runId) => run(runId));
  for (const context of contexts) {
    await test.store.append(requestIn(context));
    await test.store.latest(context);
  }
  const [entry] = await Array.fromAsync(test.kv.list({ prefix: ["run", "acme/a"] }));
  await test.kv.set(entry!.key, { schema: 0 });
  const { release } = test.hold();
  const first = test.store.latest(ACME);
  const together = Promise.allSettled(contexts.map((context) => test.store.latest(context)));
  release();
  await first;
  const reads = await together;
  assertEquals(reads.map(({ status }) => status), ["rejected", "fulfilled", "fulfilled"]);
  assertEquals(test.reads.at(-1), "getMany", "the contexts share a read");
});

Deno.test("latest through the second handle of a file shows each acknowledged request", async () => {
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
