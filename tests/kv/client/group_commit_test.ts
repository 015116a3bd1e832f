import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { install } from "@sinonjs/fake-timers";
import { StoreUnavailableError } from "../../../domain/ports/store.ts";
import type { Change } from "../../../kv/client/change.ts";
import {
  FILE_COMMIT_LIMITS,
  GroupCommit,
  SERVER_COMMIT_LIMITS,
} from "../../../kv/client/group_commit.ts";
import { watchedKv } from "../watched_kv.ts";

async function openCommits({ maxChecks = 100, maxInFlight = 1 } = {}) {
  const kv = await Deno.openKv(":memory:");
  const watched = watchedKv(kv);
  const commits = new GroupCommit(watched.kv, { maxChecks, maxInFlight });
  /** Commits changes while one is under way, so that they are decided together. */
  const together = async (changes: Change[]) => {
    const letGo = watched.hold();
    const first = commits.commit(put("first"));
    const others = changes.map((change) => commits.commit(change));
    letGo();
    await first;
    return await Promise.allSettled(others);
  };
  return { kv, watched, commits, together, [Symbol.dispose]: () => kv.close() };
}

/** A new record, which must not be there yet. */
function put(name: string, value: unknown = name): Change {
  const key = ["record", name];
  return { checks: [{ key, versionstamp: null }], sets: [{ key, value }] };
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}

const oks = (settled: PromiseSettledResult<{ ok: boolean }>[]) =>
  settled.map((result) => result.status === "fulfilled" ? result.value.ok : "threw");

const stored = async (kv: Deno.Kv) =>
  (await Array.fromAsync(kv.list({ prefix: ["record"] }))).map(({ key }) => key[1] as string);

Deno.test("GroupCommit commits at once what arrives while nothing is under way", async () => {
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

Deno.test("GroupCommit commits together what arrives while a commit is under way", async () => {
  using test = await openCommits();
  const settled = await test.together(names("a", 16).map((name) => put(name)));
  assertEquals(new Set(oks(settled)), new Set([true]));
  assertEquals(test.watched.commits.map(({ sets }) => sets.length), [1, 16]);
  assertEquals((await stored(test.kv)).length, 17);
});

Deno.test("GroupCommit answers nobody before the commit that holds the change", async () => {
  using test = await openCommits();
  const letGo = test.watched.hold();
  const answered: string[] = [];
  const all = ["a", "b"].map((name) =>
    test.commits.commit(put(name)).then(() => answered.push(name))
  );
  await test.kv.get(["record", "a"]);
  assertEquals([answered, test.watched.commits.length], [[], 1]);
  letGo();
  await Promise.all(all);
  assertEquals(answered, ["a", "b"]);
});

Deno.test("GroupCommit gives each change the versionstamp that its record has", async () => {
  using test = await openCommits();
  const settled = await test.together([put("a"), put("b")]);
  for (const [i, name] of ["a", "b"].entries()) {
    const result = settled[i]!;
    assert(result.status === "fulfilled" && result.value.ok);
    const { versionstamp } = await test.kv.get(["record", name]);
    assertEquals(result.value.versionstamp, versionstamp);
  }
});

Deno.test("GroupCommit refuses a change whose check fails, and no other", async () => {
  using test = await openCommits();
  const taken = names("taken", 4);
  for (const name of taken) await test.kv.set(["record", name], "before");
  const changes = names("free", 12).map((name) => put(name));
  changes.splice(3, 0, ...taken.map((name) => put(name, "after")));
  const settled = await test.together(changes);
  assertEquals(oks(settled), changes.map(({ sets }) => !taken.includes(String(sets[0]!.key[1]))));
  assertEquals((await test.kv.get(["record", "taken-3"])).value, "before");
  // The first, all, and those that were not refused: not one for each.
  assertEquals(test.watched.commits.map(({ sets }) => sets.length), [1, 16, 12]);
  assertEquals(test.watched.reads(), 2);
});

Deno.test("GroupCommit lets one of many win that write the same key at once", async () => {
  using test = await openCommits();
  const settled = await test.together(names("v", 20).map((value) => put("same", value)));
  assertEquals(oks(settled), [true, ...Array(19).fill(false)]);
  assertEquals((await test.kv.get(["record", "same"])).value, "v-0");
  for (const { sets } of test.watched.commits) assertEquals(sets.length, new Set(sets).size);
});

Deno.test("GroupCommit refuses what KV finds too large, and nothing else", async () => {
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
    const settled = await test.together([put("a"), large, put("b")]);
    assertEquals(oks(settled), [true, "threw", true]);
    assertEquals(
      settled[1]?.status === "rejected" && settled[1].reason.name,
      "StoreUnavailableError",
    );
    assertEquals(await stored(test.kv), ["a", "b", "first"]);
  }
});

Deno.test("GroupCommit keeps each commit within what KV takes", async () => {
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
  for (const [what, changes] of cases) {
    using test = await openCommits();
    const settled = await test.together(changes);
    assertEquals(new Set(oks(settled)), new Set([true]), what);
    assertLessOrEqual(test.watched.commits.length, 40, what);
  }
});

Deno.test("GroupCommit gives a server no more checks than it allows, several commits at once", async () => {
  using test = await openCommits({ maxChecks: 10, maxInFlight: 4 });
  const letGo = test.watched.hold();
  const all = names("a", 64).map((name) => test.commits.commit(put(name)));
  await test.kv.get(["record"]);
  assertEquals(test.watched.commits.map(({ checks }) => checks), [1, 1, 1, 1]);
  letGo();
  assertEquals(new Set((await Promise.all(all)).map(({ ok }) => ok)), new Set([true]));
  assertEquals(Math.max(...test.watched.commits.map(({ checks }) => checks)), 10);
});

/** A KV whose commits are refused so often, though no check fails. */
function refusingKv(kv: Deno.Kv, refusals: number, onRefused = () => {}): Deno.Kv {
  const atomic = () => {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = () => {
      if (refusals-- <= 0) return commit();
      onRefused();
      return Promise.resolve({ ok: false });
    };
    return operation;
  };
  return { atomic, getMany: kv.getMany.bind(kv) } as unknown as Deno.Kv;
}

Deno.test("GroupCommit tries again where a failed check passes when it is looked at", async () => {
  using kv = await Deno.openKv(":memory:");
  const commits = new GroupCommit(refusingKv(kv, 3), FILE_COMMIT_LIMITS);
  const all = await Promise.all(["a", "b", "c"].map((name) => commits.commit(put(name))));
  assertEquals(all.map(({ ok }) => ok), [true, true, true]);
  assertEquals(await stored(kv), ["a", "b", "c"]);
});

Deno.test("GroupCommit gives up on a store that refuses without a reason", async () => {
  using kv = await Deno.openKv(":memory:");
  const commits = new GroupCommit(refusingKv(kv, Infinity), FILE_COMMIT_LIMITS);
  await assertRejects(() => commits.commit(put("a")), StoreUnavailableError, "contention");
});

Deno.test("GroupCommit answers each change that it must write alone, whatever becomes of the others", async () => {
  using kv = await Deno.openKv(":memory:");
  const held = Promise.withResolvers<void>();
  let begun = 0;
  const atomic = () => {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = async () => {
      begun++;
      // The first, then both others together, and then each alone.
      if (begun === 2) return { ok: false };
      if (begun === 4) await held.promise;
      return await commit();
    };
    return operation;
  };
  const stubbornKv = { atomic, getMany: kv.getMany.bind(kv) } as unknown as Deno.Kv;
  const commits = new GroupCommit(stubbornKv, FILE_COMMIT_LIMITS);
  const first = commits.commit(put("first"));
  const [quick, slow] = [commits.commit(put("quick")), commits.commit(put("slow"))];
  assert((await first).ok);
  assert((await quick).ok);
  assertEquals([begun, await stored(kv)], [4, ["first", "quick"]]);
  held.resolve();
  assert((await slow).ok);
});

Deno.test("GroupCommit starts no attempt after two seconds, however many it has made", async () => {
  using kv = await Deno.openKv(":memory:");
  const timers = install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    let attempts = 0;
    const slowKv = refusingKv(kv, Infinity, () => {
      attempts++;
      timers.tick(900);
    });
    const commits = new GroupCommit(slowKv, FILE_COMMIT_LIMITS);
    await assertRejects(() => commits.commit(put("a")), StoreUnavailableError, "within 2000 ms");
    assertEquals(attempts, 3);
  } finally {
    timers.uninstall();
  }
});

/** A KV that sends every commit twice, as Deno's client does where the first answer was lost. */
function resendingKv(kv: Deno.Kv): Deno.Kv {
  const atomic = () => {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = async () => {
      await commit();
      return await commit();
    };
    return operation;
  };
  return { atomic, getMany: kv.getMany.bind(kv) } as unknown as Deno.Kv;
}

Deno.test("GroupCommit knows a change that was sent twice for its own, and no other's", async () => {
  using kv = await Deno.openKv(":memory:");
  await kv.set(["record", "theirs"], "theirs");
  const commits = new GroupCommit(resendingKv(kv), SERVER_COMMIT_LIMITS);
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

Deno.test("GroupCommit writes nothing for whom it has told that the store is unavailable", async () => {
  using kv = await Deno.openKv(":memory:");
  const opening = Promise.withResolvers<Deno.Kv>();
  const commits = new GroupCommit(opening.promise, FILE_COMMIT_LIMITS);
  const all = ["a", "b", "c"].map((name) =>
    assertRejects(() => commits.commit(put(name)), StoreUnavailableError, "within 2000 ms")
  );
  await Promise.all(all);
  opening.resolve(kv);
  assert((await commits.commit(put("later"))).ok);
  assertEquals(await stored(kv), ["later"]);
});

/** Changes that meet a store without responses, at set times, and the time at which each is rejected. */
async function rejections(arrivals: number[]): Promise<number[]> {
  const timers = install({ toFake: ["setTimeout", "clearTimeout"] });
  const kv = { atomic: () => ({ check() {}, set() {}, commit: () => new Promise(() => {}) }) };
  const commits = new GroupCommit(kv as unknown as Deno.Kv, FILE_COMMIT_LIMITS);
  const rejected = new Map<number, number>();
  try {
    for (const at of arrivals) {
      await timers.tickAsync(at - timers.now);
      commits.commit(put(`${at}`)).catch(() => rejected.set(at, timers.now));
    }
    await timers.tickAsync(10_000);
    return arrivals.map((at) => rejected.get(at)!);
  } finally {
    timers.uninstall();
  }
}

Deno.test("GroupCommit rejects a change queued behind a busy group two seconds after it came", async () => {
  assertEquals(await rejections([0, 500]), [2000, 2500]);
  assertEquals(await rejections([0, 1999]), [2000, 3999]);
});

Deno.test("GroupCommit rejects each change of a queue two seconds after it came, not the first only", async () => {
  const arrivals = [0, 500, 700, 1300, 1999];
  assertEquals(await rejections(arrivals), arrivals.map((at) => at + 2000));
  const later = [0, 500, 2100, 2400, 3900, 4100];
  assertEquals(await rejections(later), later.map((at) => at + 2000));
});
