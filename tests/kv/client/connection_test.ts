import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../../domain/ports/store.ts";
import { call, commit as commitOf } from "../../../kv/client/call.ts";
import { KvConnection } from "../../../kv/client/connection.ts";
import { Readiness } from "../../../kv/readiness.ts";
import { waitFor } from "../../support/wait_for.ts";

/** Timeout of the calls in these tests. */
const TIMEOUT_MS = 10;
const FIRST_RESPONSE_GRACE_MS = 5_000;

const hangs = () => new Promise<never>(() => {});

/** Opens a connection whose clock waits only until the next turn of the event loop. */
async function openConnection({ failures = 0 } = {}) {
  const opened: Deno.Kv[] = [];
  const waits: number[] = [];
  const warnings: string[] = [];
  const reopened = Promise.withResolvers<void>();
  const open = async () => {
    const kv = await Deno.openKv(":memory:");
    await kv.set(["number"], opened.push(kv));
    return kv;
  };
  const clock = {
    elapsed: () => performance.now(),
    wait: (ms: number) => {
      waits.push(ms);
      return new Promise<void>((resolve) => void setTimeout(resolve));
    },
  };
  const connection = new KvConnection(await open(), {
    clock,
    log: { warn: (message) => (warnings.push(message), reopened.resolve()) },
    reopen: async () => failures-- > 0 ? null : await open(),
  });
  return {
    connection,
    clock,
    opened,
    waits,
    warnings,
    reopened: reopened.promise,
    number: () => call(connection, async (kv) => (await kv.get(["number"])).value),
    timeOut: (run: (kv: Deno.Kv) => Promise<unknown> = hangs) =>
      assertRejects(() => call(connection, run, TIMEOUT_MS), StoreUnavailableError),
    [Symbol.dispose]: () => opened.forEach((kv) => kv.close()),
  };
}

Deno.test("KvConnection replaces a handle without responses once the store is reachable", async () => {
  using test = await openConnection({ failures: 3 });
  assertEquals(await test.number(), 1);
  await Promise.all(Array.from({ length: 100 }, () => test.timeOut()));
  assertEquals(test.connection.health.isFailing, true);
  await test.reopened;
  assertEquals(await test.number(), 2, "the limit on abandoned calls is per handle");
  assertEquals([test.waits, test.warnings.length], [[1000, 1000, 1000], 1]);
  assertEquals(test.connection.health.isFailing, false);
});

Deno.test("KvConnection does not replace a handle while other calls have a response", async () => {
  using test = await openConnection();
  for (let i = 0; i < 5; i++) {
    const slow = test.timeOut();
    await test.number();
    await slow;
  }
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([await test.number(), test.opened.length], [1, 1]);
});

Deno.test("KvConnection stops reconnecting when the handle has a late response", async () => {
  using test = await openConnection({ failures: Infinity });
  await test.number();
  const late = Promise.withResolvers<void>();
  await test.timeOut(() => late.promise);
  late.resolve();
  await late.promise;
  const waits = test.waits.length;
  await test.number();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert(test.waits.length <= waits + 1, "at most the wait that had started");
});

Deno.test("KvConnection waits five more seconds for the first response", async () => {
  using test = await openConnection();
  await test.timeOut();
  await test.reopened;
  assertEquals(test.waits, [FIRST_RESPONSE_GRACE_MS]);
});

Deno.test("KvConnection abandons at most five handles with pending calls", async () => {
  using test = await openConnection();
  // Not by calls: their responses would show that the connection is not lost.
  const opened = (count: number) =>
    waitFor(`handle ${count} is open`, () => test.warnings.length + 1 === count);
  const ends = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  for (const [i, { promise }] of ends.entries()) {
    await opened(i + 1);
    assertEquals(await test.number(), i + 1);
    await test.timeOut(() => promise);
  }
  await waitFor("it has waited ten times", () => test.waits.length > 10);
  assertEquals(test.opened.length, 6);
  ends[0]!.resolve();
  await opened(7);
  assertEquals(await test.number(), 7);
  for (const { resolve } of ends) resolve();
});

Deno.test("KvConnection replaces a lost handle while readiness is checked", async () => {
  using test = await openConnection({ failures: 3 });
  const { connection, clock } = test;
  assertEquals(await test.number(), 1);
  const readiness = new Readiness(connection, { clock, log: { error: () => {} } });
  assertEquals(await readiness.isReady(), true);
  await test.timeOut();
  // The check is no response of the server: it writes nothing so soon after the last probe.
  for (let i = 0; i < 3; i++) assertEquals(await readiness.isReady(), false);
  await test.reopened;
  assertEquals(await test.number(), 2);
});

Deno.test("a late failure of a replaced handle does not make KvConnection fail", async () => {
  using test = await openConnection();
  const { connection } = test;
  assertEquals(await test.number(), 1);
  const late = Promise.withResolvers<never>();
  const commit = assertRejects(
    () => commitOf(connection, () => late.promise),
    StoreUnavailableError,
  );
  await test.timeOut();
  await test.reopened;
  await waitFor("the connection works again", () => !connection.health.isFailing);
  late.reject(new Error("the handle was closed"));
  await commit;
  assertEquals(connection.health.isFailing, false);
  await assertRejects(() => commitOf(connection, () => late.promise), StoreUnavailableError);
  assertEquals(connection.health.isFailing, true, "a failure of the new handle counts");
});
