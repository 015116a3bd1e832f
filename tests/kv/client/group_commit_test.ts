import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { install } from "@sinonjs/fake-timers";
import fc from "fast-check";
import { StoreUnavailableError } from "../../../domain/ports/store.ts";
import type { Change } from "../../../kv/client/change.ts";
import {
  FILE_COMMIT_LIMITS,
  GroupCommit,
  SERVER_COMMIT_LIMITS,
} from "../../../kv/client/group_commit.ts";
import { wrapKv } from "../../support/wrap_kv.ts";
import { watchedKv } from "../watched_kv.ts";

async function openCommits(limits = FILE_COMMIT_LIMITS) {
  const kv = await Deno.openKv(":memory:");
  const watched = watchedKv(kv);
  const commits = new GroupCommit(watched.kv, limits);
  /** Commits one change, and the others while that commit is in flight. */
  const commitTogether = async (changes: Change[]) => {
    const release = watched.hold();
    const first = commits.commit(put("first"));
    const others = changes.map((change) => commits.commit(change));
    release();
    await first;
    return await Promise.allSettled(others);
  };
  return { kv, watched, commits, commitTogether, [Symbol.dispose]: () => kv.close() };
}

/** A new record, which must not exist yet. */
function put(name: string, value: unknown = name): Change {
  const key = ["record", name];
  return { checks: [{ key, versionstamp: null }], sets: [{ key, value }] };
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}

const outcomes = (settled: PromiseSettledResult<{ ok: boolean }>[]) =>
  settled.map((result) => result.status === "fulfilled" ? result.value.ok : "threw");

const storedNames = async (kv: Deno.Kv) =>
  (await Array.fromAsync(kv.list({ prefix: ["record"] }))).map(({ key }) => key[1] as string);

Deno.test("GroupCommit commits a change immediately if no commit is in flight", async () => {
  using test = await openCommits();
  for (const name of ["a", "b", "c"]) {
    assert((await test.commits.commit(put(name))).ok);
  }
  assertEquals(test.watched.commits.map(({ sets }) => sets), [
    ["record/a"],
    ["record/b"],
    ["record/c"],
  ]);
});

Deno.test("GroupCommit needs few commits for many concurrent changes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (count) => {
      using test = await openCommits();
      const settled = await test.commitTogether(names("a", count).map((name) => put(name)));
      assertEquals(new Set(outcomes(settled)), new Set([true]));
      assertEquals((await storedNames(test.kv)).length, count + 1);
      // KV allows 100 checks per commit, and each change has one.
      assertLessOrEqual(test.watched.commits.length, 2 + 2 * Math.ceil(count / 100));
    }),
    { numRuns: 20 },
  );
});

Deno.test("GroupCommit acknowledges no change before the commit that contains it", async () => {
  using test = await openCommits();
  const release = test.watched.hold();
  const acknowledged: string[] = [];
  const all = ["a", "b"].map((name) =>
    test.commits.commit(put(name)).then(() => acknowledged.push(name))
  );
  await test.kv.get(["record", "a"]);
  assertEquals([acknowledged, test.watched.commits.length], [[], 1]);
  release();
  await Promise.all(all);
  assertEquals(acknowledged, ["a", "b"]);
});

Deno.test("GroupCommit returns the versionstamp that the record has", async () => {
  using test = await openCommits();
  const settled = await test.commitTogether([put("a"), put("b")]);
  for (const [i, name] of ["a", "b"].entries()) {
    const result = settled[i]!;
    assert(result.status === "fulfilled" && result.value.ok);
    const { versionstamp } = await test.kv.get(["record", name]);
    assertEquals(result.value.versionstamp, versionstamp);
  }
});

Deno.test("GroupCommit rejects a change whose check fails, and commits the others", async () => {
  using test = await openCommits();
  const taken = names("taken", 4);
  for (const name of taken) await test.kv.set(["record", name], "before");
  const changes = names("free", 12).map((name) => put(name));
  changes.splice(3, 0, ...taken.map((name) => put(name, "after")));
  const settled = await test.commitTogether(changes);
  assertEquals(
    outcomes(settled),
    changes.map(({ sets }) => !taken.includes(String(sets[0]!.key[1]))),
  );
  assertEquals((await test.kv.get(["record", "taken-3"])).value, "before");
  // Not one for each of the sixteen changes.
  assertLessOrEqual(test.watched.commits.length, 5);
  assertLessOrEqual(test.watched.reads(), 4);
});

Deno.test("GroupCommit commits one of many concurrent changes that write the same key", async () => {
  using test = await openCommits();
  const settled = await test.commitTogether(names("v", 20).map((value) => put("same", value)));
  assertEquals(outcomes(settled), [true, ...Array(19).fill(false)]);
  assertEquals((await test.kv.get(["record", "same"])).value, "v-0");
  for (const { sets } of test.watched.commits) assertEquals(sets.length, new Set(sets).size);
});

Deno.test("GroupCommit rejects a change that is too large for KV, and no other", async () => {
  const tooLarge: Change[] = [
    put("value", "x".repeat(70_000)),
    put("k".repeat(3_000)),
    {
      checks: [],
      sets: Array.from({ length: 20 }, (_, i) => put(`${i}`, "é".repeat(65_000)).sets[0]!),
    },
  ];
  for (const large of tooLarge) {
    using test = await openCommits();
    const settled = await test.commitTogether([put("a"), large, put("b")]);
    assertEquals(outcomes(settled), [true, "threw", true]);
    assertEquals(
      settled[1]?.status === "rejected" && settled[1].reason.name,
      "StoreUnavailableError",
    );
    assertEquals(await storedNames(test.kv), ["a", "b", "first"]);
  }
});

Deno.test("GroupCommit keeps each commit within the limits of KV", async () => {
  const long = "€".repeat(600);
  const cases: [string, Change[]][] = [
    ["checks", names("a", 250).map((name) => put(name))],
    ["bytes", names("a", 60).map((name) => put(name, "é" + "x".repeat(30_000)))],
    ["bytes of keys", names(long, 100).map((name) => put(name))],
    [
      "mutations",
      names("a", 30).map((name) => ({
        checks: [],
        sets: names(name, 90).flatMap((name) => put(name).sets),
      })),
    ],
  ];
  for (const [limit, changes] of cases) {
    using test = await openCommits();
    const settled = await test.commitTogether(changes);
    assertEquals(new Set(outcomes(settled)), new Set([true]), limit);
    assertLessOrEqual(test.watched.commits.length, 40, limit);
  }
});

Deno.test("GroupCommit respects a server's check limit and commits concurrently", async () => {
  using test = await openCommits({ maxChecks: 10, maxInFlight: 4 });
  const release = test.watched.hold();
  const all = names("a", 64).map((name) => test.commits.commit(put(name)));
  await test.kv.get(["record"]);
  assertEquals(test.watched.commits.length, 4, "all that may be in flight");
  release();
  assertEquals(new Set((await Promise.all(all)).map(({ ok }) => ok)), new Set([true]));
  assertLessOrEqual(Math.max(...test.watched.commits.map(({ checks }) => checks)), 10);
});

/** A KV whose first commits return a failed check although every check holds. */
function withFailedChecks(kv: Deno.Kv, count: number, onFailure = () => {}): Deno.Kv {
  return wrapKv(kv, {
    onCommit(commit) {
      if (count-- <= 0) return commit();
      onFailure();
      return Promise.resolve({ ok: false });
    },
  });
}

Deno.test("GroupCommit retries if a failed check holds when it is re-read", async () => {
  using kv = await Deno.openKv(":memory:");
  const commits = new GroupCommit(withFailedChecks(kv, 3), FILE_COMMIT_LIMITS);
  const all = await Promise.all(["a", "b", "c"].map((name) => commits.commit(put(name))));
  assertEquals(all.map(({ ok }) => ok), [true, true, true]);
  assertEquals(await storedNames(kv), ["a", "b", "c"]);
});

Deno.test("GroupCommit gives up if checks keep failing without a reason", async () => {
  using kv = await Deno.openKv(":memory:");
  const commits = new GroupCommit(withFailedChecks(kv, Infinity), FILE_COMMIT_LIMITS);
  await assertRejects(() => commits.commit(put("a")), StoreUnavailableError, "contention");
});

Deno.test("GroupCommit acknowledges changes that it commits alone one by one", async () => {
  using kv = await Deno.openKv(":memory:");
  const held = Promise.withResolvers<void>();
  let started = 0;
  const commits = new GroupCommit(
    wrapKv(kv, {
      async onCommit(commit) {
        started++;
        // The first change, then both others together, and then each of them alone.
        if (started === 2) return { ok: false };
        if (started === 4) await held.promise;
        return await commit();
      },
    }),
    FILE_COMMIT_LIMITS,
  );
  const first = commits.commit(put("first"));
  const [quick, slow] = [commits.commit(put("quick")), commits.commit(put("slow"))];
  assert((await first).ok);
  assert((await quick).ok);
  assertEquals([started, await storedNames(kv)], [4, ["first", "quick"]]);
  held.resolve();
  assert((await slow).ok);
});

Deno.test("GroupCommit starts no attempt after two seconds, however many it has made", async () => {
  using kv = await Deno.openKv(":memory:");
  const timers = install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    let attempts = 0;
    const slowKv = withFailedChecks(kv, Infinity, () => {
      attempts++;
      queueMicrotask(() => timers.tick(900));
    });
    const commits = new GroupCommit(slowKv, FILE_COMMIT_LIMITS);
    await assertRejects(() => commits.commit(put("a")), StoreUnavailableError, "within 2000 ms");
    assertEquals(attempts, 3);
  } finally {
    timers.uninstall();
  }
});

Deno.test("GroupCommit recognizes its own change if KV commits it twice", async () => {
  using kv = await Deno.openKv(":memory:");
  await kv.set(["record", "theirs"], "theirs");
  // As Deno's KV Connect client does if the first response is lost.
  const resending = wrapKv(kv, { onCommit: async (commit) => (await commit(), await commit()) });
  const commits = new GroupCommit(resending, SERVER_COMMIT_LIMITS);
  const names = ["a", "b", "theirs", "c"];
  const all = await Promise.all(names.map((name) => commits.commit(put(name, `${name} of ours`))));
  assertEquals(all.map(({ ok }) => ok), [true, true, false, true]);
  for (const [i, name] of names.entries()) {
    const { versionstamp } = await kv.get(["record", name]);
    const committed = all[i]!;
    if (committed.ok) assertEquals(committed.versionstamp, versionstamp);
    else assertEquals(committed.failed, put("theirs").checks);
  }
});

Deno.test("GroupCommit writes nothing of a change that timed out in the queue", async () => {
  using kv = await Deno.openKv(":memory:");
  const opening = Promise.withResolvers<Deno.Kv>();
  const commits = new GroupCommit(opening.promise, FILE_COMMIT_LIMITS);
  const all = ["a", "b", "c"].map((name) =>
    assertRejects(() => commits.commit(put(name)), StoreUnavailableError, "within 2000 ms")
  );
  await Promise.all(all);
  opening.resolve(kv);
  assert((await commits.commit(put("later"))).ok);
  assertEquals(await storedNames(kv), ["later"]);
});

Deno.test("GroupCommit has uncertain commits while one that timed out is pending", async () => {
  using kv = await Deno.openKv(":memory:");
  const timers = install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const held = Promise.withResolvers<void>();
    const slowKv = wrapKv(kv, {
      onCommit: async (commit) => (await held.promise, await commit()),
    });
    const commits = new GroupCommit(slowKv, FILE_COMMIT_LIMITS);
    const change = assertRejects(() => commits.commit(put("a")), StoreUnavailableError);
    await timers.tickAsync(1_999);
    assertEquals(commits.hasUncertainCommits(), false);
    await timers.tickAsync(MAX_DELAY_MS + 1);
    await change;
    assertEquals(commits.hasUncertainCommits(), true);
    held.resolve();
    await commits.commit(put("b"));
    assertEquals(commits.hasUncertainCommits(), false);
    assertEquals(await storedNames(kv), ["a", "b"]);
  } finally {
    timers.uninstall();
  }
});

/** How much later than its limit a timeout may end: its resolution is 50 ms. */
const MAX_DELAY_MS = 100;

/** Commits changes to an unresponsive store at set times, and returns when each is rejected. */
async function rejectionTimes(commitTimes: number[]): Promise<number[]> {
  using kv = await Deno.openKv(":memory:");
  const timers = install({ toFake: ["setTimeout", "clearTimeout"] });
  const unresponsive = wrapKv(kv, { onCommit: () => new Promise(() => {}) });
  const commits = new GroupCommit(unresponsive, FILE_COMMIT_LIMITS);
  const rejectedAt = new Map<number, number>();
  try {
    for (const at of commitTimes) {
      await timers.tickAsync(at - timers.now);
      commits.commit(put(`${at}`)).catch(() => rejectedAt.set(at, timers.now));
    }
    await timers.tickAsync(20_000);
    return commitTimes.map((at) => rejectedAt.get(at)!);
  } finally {
    timers.uninstall();
  }
}

Deno.test("GroupCommit rejects each queued change two seconds after its own start", async () => {
  for (
    const times of [
      [0, 500],
      [0, 1999],
      [0, 500, 700, 1300, 1999],
      [0, 500, 2100, 2400, 3900, 4100],
    ]
  ) {
    for (const [i, rejectedAt] of (await rejectionTimes(times)).entries()) {
      const delay = rejectedAt - times[i]! - 2_000;
      assert(delay >= 0 && delay <= MAX_DELAY_MS, `${times}: change ${i} was ${delay} ms late`);
    }
  }
});
