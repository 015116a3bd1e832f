/** Several instances of the service that share a KV Connect server. */
import { assertEquals, assertRejects } from "@std/assert";
import { readContents, torn } from "../support/kv_contents.ts";
import type { Service } from "../support/service_process.ts";
import { report, startFleet } from "./fleet.ts";

const CREATE = { handoff: { mode: "create" } };
const CLIENTS = 8;
const ROUNDS = 25;

/** Submits in a context, and immediately reads through the next instance. */
async function readOwnWrites(services: Service[], run: string): Promise<number> {
  let stale = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [writer, reader] = [0, 1].map((i) => services[(round + i) % services.length]!);
    const { status, body } = await writer!.submit({}, { run });
    assertEquals(status, 201);
    const latest = await reader!.latest(run);
    if (latest.body.supportRequest?.reference !== body.reference) stale++;
  }
  return stale;
}

for (const instances of [2, 4]) {
  Deno.test(`each of ${instances} instances creates tickets, and shows those of the others`, async () => {
    await using fleet = await startFleet(instances);
    const { services, desk, server } = fleet;
    for (const service of services) {
      const { status, body } = await service.submit(CREATE);
      assertEquals([status, body.handoff.status], [201, "created"]);
      for (const other of services) {
        assertEquals((await other.latest()).body.supportRequest, body);
      }
    }
    assertEquals(desk.tickets.length, instances);

    const runs = Array.from({ length: CLIENTS }, (_, i) => `r-${i}`);
    const stale = await Promise.all(runs.map((run) => readOwnWrites(services, run)));
    report({
      instances,
      "reads through another instance": CLIENTS * ROUNDS,
      stale: stale.reduce((a, b) => a + b),
    });
    assertEquals(stale, runs.map(() => 0), "an acknowledged request is the latest everywhere");

    const events = await Promise.all(services.map((service) => service.auditEvents()));
    for (const one of events) assertEquals(one, events[0]);
    assertEquals(events[0]!.length, 2 * instances + CLIENTS * ROUNDS);
    assertEquals(torn(await readContents(server.url)), []);
  });

  Deno.test(`${instances} instances that write to one context concurrently lose and reorder nothing`, async () => {
    await using fleet = await startFleet(instances);
    const { services, server } = fleet;
    const via = (i: number) => services[i % services.length]!.submit();
    const responses = await Promise.all(Array.from({ length: 200 }, (_, i) => via(i)));
    const acknowledged = responses.filter(({ status }) => status === 201);
    const inOrder: string[] = [];
    for (let i = 0; i < 40; i++) inOrder.push((await via(i)).body.reference);

    using kv = await Deno.openKv(server.url);
    const stored = await Array.fromAsync(
      kv.list<{ reference: string }>({ prefix: ["tenant", "acme"] }),
      ({ value }) => value.reference,
    );
    report({ instances, concurrent: responses.length, acknowledged: acknowledged.length });
    assertEquals(acknowledged.length, responses.length);
    assertEquals(new Set(stored).size, stored.length, "each is stored once");
    assertEquals(
      new Set(stored),
      new Set([...acknowledged.map(({ body }) => body.reference), ...inOrder]),
    );
    assertEquals(stored.slice(-inOrder.length), inOrder, "in the order of the acknowledgements");
  });
}

Deno.test("64 concurrent submissions with keys succeed with ten checks per commit", async () => {
  await using fleet = await startFleet(2);
  const { services: [service], server } = fleet;
  using kv = await Deno.openKv(server.url);
  const eleven = Array.from({ length: 11 }, (_, i) => ({ key: [i], versionstamp: null }));
  await assertRejects(() => kv.atomic().check(...eleven).set(["x"], 1).commit());

  const submit = (i: number) => service!.submit(CREATE, { run: `r-${i % 8}`, key: `key-${i}` });
  const responses = await Promise.all(Array.from({ length: 64 }, (_, i) => submit(i)));
  const created = responses.filter(({ body }) => body.handoff?.status === "created");
  report({ concurrent: responses.length, created: created.length });
  assertEquals(responses.map(({ status }) => status), responses.map(() => 201));
  assertEquals(created.length, responses.length);
});
