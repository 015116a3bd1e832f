/** How many commits one submission takes, and what they write. */
import { assert, assertEquals } from "@std/assert";
import type { AppendResult, Store } from "../../domain/ports/store.ts";
import { requestKey } from "../../kv/keys.ts";
import { LatestRequestReader } from "../../kv/latest_reads.ts";
import { SortKeyAllocator } from "../../kv/sort_keys.ts";
import { openTestStore } from "./fixtures.ts";
import { FakeClock } from "../support/clock.ts";
import { ACME, run } from "../support/constants.ts";
import { dump } from "../support/kv_file.ts";
import { openService } from "../support/service.ts";
import { claim, created, pendingIn, requestIn } from "../support/records.ts";
import { wrapKv } from "../support/wrap_kv.ts";

const SUBMISSIONS = "/v1/tenants/acme/support-requests";
/** The configuration of a store that several processes share. */
const SHARED = { KV_PATH: "http://127.0.0.1:1", DENO_KV_ACCESS_TOKEN: "none" };

/** Opens a real KV that counts its commits. */
async function openCountedKv() {
  const real = await Deno.openKv(":memory:");
  let count = 0;
  const kv = wrapKv(real, { onCommit: (commit) => (count++, commit()) });
  /** Returns the number of commits that `run` makes. */
  const commitsOf = async (run: () => Promise<unknown>) => {
    const before = count;
    await run();
    return count - before;
  };
  return { kv, commitsOf, [Symbol.dispose]: () => real.close() };
}

function storedOf(appended: AppendResult) {
  assert(appended.outcome === "stored");
  return appended.stored;
}

/** Appends two pending requests of one context in one commit. */
async function appendTogether(store: Store) {
  const other = run("other");
  // Makes the sort keys known, so that none is read before the commit.
  for (const context of [ACME, other]) await store.append(requestIn(context));
  const inFlight = store.append(requestIn(other));
  const [first, second] = await Promise.all([
    store.append(pendingIn(ACME)),
    store.append(pendingIn(ACME)),
    inFlight,
  ]);
  const stored = [storedOf(first), storedOf(second)] as const;
  assertEquals(stored[0].versionstamp, stored[1].versionstamp);
  return stored;
}

Deno.test("latest returns the last of two requests with one versionstamp", async () => {
  using test = await openTestStore();
  const [first, second] = await appendTogether(test.store);
  for (let i = 0; i < 2; i++) {
    assertEquals((await test.store.latest(ACME))?.request, second.request);
    assertEquals((await test.store.reload(first))?.request, first.request);
  }
});

Deno.test("LatestRequestReader distinguishes two requests with one versionstamp", async () => {
  using kv = await Deno.openKv(":memory:");
  const requests = [requestIn(ACME), requestIn(ACME)];
  const commit = kv.atomic();
  for (const [i, request] of requests.entries()) commit.set(requestKey(ACME, i + 1), request);
  await commit.commit();
  const sequence = new SortKeyAllocator(() => Promise.resolve(0), true);
  const reads = new LatestRequestReader(kv, {
    sortKeys: sequence,
    hasUncertainCommits: () => false,
  });
  for (const [i, request] of requests.entries()) {
    await sequence.write(ACME, 0, (_ts, _next, stored) => Promise.resolve(stored(i + 1)));
    assertEquals((await reads.read(ACME))?.request, request);
  }
});

Deno.test("finalize works once for each of two requests with one versionstamp", async () => {
  using test = await openTestStore();
  const pair = await appendTogether(test.store);
  for (const [i, stored] of pair.entries()) {
    assertEquals(await test.store.finalize(stored, created(`${i + 1}`)), true);
    assertEquals(await test.store.finalize(stored, created("9")), false);
  }
  for (const [i, stored] of pair.entries()) {
    assertEquals((await test.store.reload(stored))?.request.handoff, created(`${i + 1}`));
  }
});

for (const isExclusive of [true, false]) {
  const store = isExclusive ? "an exclusive store" : "a shared store";

  Deno.test(`append with a taken key makes one commit and writes nothing to ${store}`, async () => {
    using counted = await openCountedKv();
    using first = await openTestStore({ kv: counted.kv, isExclusive });
    await first.store.append(requestIn(ACME), claim());
    const before = await dump(counted.kv);
    // After a restart.
    using test = await openTestStore({ kv: counted.kv, isExclusive });
    for (const context of [ACME, run("r-1")]) {
      const commits = await counted.commitsOf(async () => {
        const { outcome } = await test.store.append(requestIn(context), claim());
        assertEquals(outcome, "key_taken");
      });
      assertEquals(commits, 1);
    }
    assertEquals(await dump(counted.kv), before);
  });
}

Deno.test("append makes no commit for a key that it has stored recently", async () => {
  using counted = await openCountedKv();
  using test = await openTestStore({ kv: counted.kv });
  await test.store.append(requestIn(ACME), claim());
  for (const context of [ACME, run("r-1")]) {
    const commits = await counted.commitsOf(async () => {
      const { outcome } = await test.store.append(requestIn(context), claim());
      assertEquals(outcome, "key_taken");
    });
    assertEquals(commits, 0);
  }
});

Deno.test("append stores a request under a recent key whose record was erased", async () => {
  using test = await openTestStore();
  await test.store.append(requestIn(ACME), claim());
  await test.kv.delete(["idempotency", "acme", "u-1", "k-1"]);
  const again = claim();
  // As a caller does: it looks the key up, and claims it if it is free.
  assertEquals(await test.store.append(requestIn(ACME), again), { outcome: "key_taken" });
  assertEquals(await test.store.findKey(again), { outcome: "free", versionstamp: null });
  const { request } = storedOf(await test.store.append(requestIn(ACME), again));
  assertEquals((await test.store.latest(ACME))?.request, request);
});

Deno.test("a submission makes one commit, a retry or an invalid one none", async () => {
  using counted = await openCountedKv();
  await using service = await openService({ kv: counted.kv });
  const submit = (json: unknown, key: string) => async () => {
    const response = await service.call(SUBMISSIONS, { json, headers: { "Idempotency-Key": key } });
    await response.body?.cancel();
    return response.status;
  };
  const json = { summary: "Printer on fire" };
  const cases = [
    [submit(json, "k-1"), 201, 1],
    [submit(json, "k-1"), 201, 0],
    [submit({ summary: "Another" }, "k-1"), 422, 0],
    [submit({}, "k-2"), 422, 0],
    [submit(json, ""), 400, 0],
  ] as const;
  for (const [call, status, commits] of cases) {
    const taken = await counted.commitsOf(async () => assertEquals(await call(), status));
    assertEquals(taken, commits);
  }
});

for (const [name, env] of [["one process", {}], ["several processes", SHARED]] as const) {
  Deno.test(`a submission over the rate limit writes nothing with ${name}`, async () => {
    using counted = await openCountedKv();
    // The rate limit counts per minute, and the minute must not end during the test.
    const clock = new FakeClock({ now: Date.now() });
    await using service = await openService({
      kv: counted.kv,
      env: { ...env, RATE_LIMIT_PER_MINUTE: "2" },
      clock,
    });
    const submit = async () => {
      const response = await service.call(SUBMISSIONS, { json: { summary: "Printer" } });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals([await submit(), await submit()], [201, 201]);
    const before = await dump(counted.kv);
    const commits = await counted.commitsOf(async () => {
      const statuses = await Promise.all(Array.from({ length: 20 }, submit));
      assertEquals(new Set(statuses), new Set([429]));
    });
    assertEquals([commits, await dump(counted.kv)], [0, before]);
  });
}
