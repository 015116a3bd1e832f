/** What is written, and how often, for one submission. */
import { assert, assertEquals } from "@std/assert";
import type { AppendResult, Store } from "../../domain/ports/store.ts";
import { requestKey } from "../../kv/keys.ts";
import { LatestRequestReader } from "../../kv/latest_reads.ts";
import { SortKeyAllocator } from "../../kv/sort_keys.ts";
import { claim, created, openTestStore, pendingIn, requestIn } from "./fixtures.ts";
import { FakeClock } from "../support/clock.ts";
import { ACME, run } from "../support/constants.ts";
import { dump } from "../support/kv_file.ts";
import { openService } from "../support/service.ts";

const SUBMISSIONS = "/v1/tenants/acme/support-requests";
/** Of a store that several processes share. */
const SHARED = { KV_PATH: "http://127.0.0.1:1", DENO_KV_ACCESS_TOKEN: "none" };

/** A real KV that counts the commits that it is sent. */
async function openCountedKv() {
  const kv = await Deno.openKv(":memory:");
  const counted = { commits: 0 };
  const atomic = kv.atomic.bind(kv);
  kv.atomic = () => {
    const operation = atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = () => (counted.commits++, commit());
    return operation;
  };
  /** How many commits `run` takes. */
  const commitsOf = async (run: () => Promise<unknown>) => {
    const before = counted.commits;
    await run();
    return counted.commits - before;
  };
  return { kv, commitsOf, [Symbol.dispose]: () => kv.close() };
}

function storedOf(appended: AppendResult) {
  assert(appended.outcome === "stored");
  return appended.stored;
}

/** Appends two pending requests of one context in one commit. */
async function appendTogether(store: Store) {
  const other = run("other");
  // So that no sort key is read before the commit.
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

Deno.test("latest is the last of two requests of one context and one versionstamp", async () => {
  using test = await openTestStore();
  const [first, second] = await appendTogether(test.store);
  for (let i = 0; i < 2; i++) {
    assertEquals((await test.store.latest(ACME))?.request, second.request);
    assertEquals((await test.store.reload(first))?.request, first.request);
  }
});

Deno.test("LatestRequestReader takes no request for another one of its context and versionstamp", async () => {
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

Deno.test("finalize settles each of two requests of one context and one versionstamp, once", async () => {
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
  const where = isExclusive ? "one process writes" : "several processes write";

  Deno.test(`a submission whose key is taken costs one commit where ${where}, and writes nothing`, async () => {
    using counted = await openCountedKv();
    using test = await openTestStore({ kv: counted.kv, isExclusive });
    await test.store.append(requestIn(ACME), claim());
    const before = await dump(counted.kv);
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

Deno.test("a submission is one commit, a retry with its key one, and what is invalid none", async () => {
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
    [submit(json, "k-1"), 201, 1],
    [submit({ summary: "Another" }, "k-1"), 422, 1],
    [submit({}, "k-2"), 422, 0],
    [submit(json, ""), 400, 0],
  ] as const;
  for (const [call, status, commits] of cases) {
    const taken = await counted.commitsOf(async () => assertEquals(await call(), status));
    assertEquals(taken, commits);
  }
});

for (const [name, env] of [["one process", {}], ["several processes", SHARED]] as const) {
  Deno.test(`a submission over the rate writes nothing to the store of ${name}`, async () => {
    using counted = await openCountedKv();
    // Rates are counted by the minute, which must not end in between.
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
