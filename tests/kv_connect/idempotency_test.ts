/** One key is one request and one ticket, to whichever instances it is sent. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { readContents, torn } from "../support/kv_contents.ts";
import { report, startFleet } from "./fleet.ts";

const CREATE = { handoff: { mode: "create" } };
const KEYS = Array.from({ length: 40 }, (_, i) => `key-${i}`);

for (const instances of [2, 4]) {
  Deno.test(`a key sent to ${instances} instances concurrently creates one request and one ticket`, async () => {
    const env = { SUPPORT_DESK_TIMEOUT_MS: "5000", SUPPORT_DESK_MAX_CONCURRENCY: "64" };
    await using fleet = await startFleet(instances, env);
    const { services, desk, server } = fleet;
    // So that the first is in progress when the others arrive.
    desk.behave("slow");
    const responses = await Promise.all(
      KEYS.map((key) => Promise.all(services.map((service) => service.submit(CREATE, { key })))),
    );
    const created = responses.map((some) => some.filter(({ status }) => status === 201));
    const rejected = responses.flat().filter(({ status }) => status === 409);
    report({
      instances,
      keys: KEYS.length,
      created: created.flat().length,
      "in progress": rejected.length,
      tickets: desk.tickets.length,
    });
    assertEquals(created.flat().length + rejected.length, KEYS.length * instances);
    assertGreater(rejected.length, 0);
    for (const { headers } of rejected) {
      const seconds = Number(headers.get("Retry-After"));
      assert(seconds >= 1 && seconds <= 15, `Retry-After: ${seconds}`);
    }

    for (const [i, key] of KEYS.entries()) {
      const [first, ...others] = created[i]!;
      assertEquals(first?.body.handoff.status, "created");
      const replays = await Promise.all(services.map((service) => service.submit(CREATE, { key })));
      for (const { status, headers } of replays) {
        assertEquals([status, headers.get("Idempotent-Replayed")], [201, "true"]);
      }
      for (const { body } of [...others, ...replays]) assertEquals(body, first!.body);
    }
    assertEquals(desk.tickets.length, KEYS.length, "exactly one ticket per key");
    const events = await services[0]!.auditEvents();
    assertEquals(events.length, 2 * KEYS.length, "one submission and one creation each");
    const contents = await readContents(server.url);
    assertEquals(torn(contents), []);
    const references = desk.tickets.map(({ fields }) => fields["SupportRef"]);
    assertEquals(new Set(references), new Set(contents.requests.keys()));
  });
}
