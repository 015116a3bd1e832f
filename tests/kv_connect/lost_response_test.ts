/**
 * The KV client re-sends a commit whose response was lost. The checks of the second one fail because
 * of the first one, which must not be taken for another process's write.
 */
import { assertEquals } from "@std/assert";
import { readContents, torn } from "../support/kv_contents.ts";
import { type Service, startService } from "../support/service_process.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { hurriedDeskEnv, isReady } from "./fleet.ts";
import { startLossyProxy } from "./lossy_proxy.ts";
import { startKvServer } from "./server.ts";

const CREATE = { handoff: { mode: "create" } };

/** Loses the responses to a submission's first commits; resolves with the outcome. */
async function submitLosing(
  count: number,
  submit: (service: Service) => ReturnType<Service["submit"]>,
  env: Record<string, string> = {},
) {
  await using server = await startKvServer();
  await using proxy = startLossyProxy(server.url);
  const desk = startFakeDesk();
  const all = { ...server.env, ...hurriedDeskEnv(desk), ...env };
  await using service = await startService({ kvPath: proxy.url, env: all });
  await isReady(service);
  proxy.lose(count);
  const { status, headers, body } = await submit(service);
  const events = (await service.auditEvents()).map(({ event }) => event).reverse().join(", ");
  const outcome = {
    status,
    replayed: headers.get("Idempotent-Replayed"),
    handoff: `${body.handoff?.status}`,
    events,
    torn: torn(await readContents(server.url)),
    tickets: desk.tickets.length,
    lost: proxy.lost,
  };
  await desk.close();
  return outcome;
}

const STORED = { status: 201, replayed: null, handoff: "none", events: "request.submitted" };
const CREATED = { ...STORED, handoff: "created", events: "request.submitted, handoff.created" };

for (const [with_, to] of [["without a key", {}], ["with a key", { key: "key-1" }]] as const) {
  Deno.test(`a submission ${with_} is stored once if the response to its commit is lost`, async () => {
    const outcome = await submitLosing(1, (service) => service.submit({}, to));
    assertEquals(outcome, { ...STORED, torn: [], tickets: 0, lost: 1 });
  });

  Deno.test(`a submission ${with_} has one ticket if the responses to its commits are lost`, async () => {
    const outcome = await submitLosing(2, (service) => service.submit(CREATE, to));
    assertEquals(outcome, { ...CREATED, torn: [], tickets: 1, lost: 2 });
  });
}

Deno.test("a submission counts once against the limit if the response to the count is lost", async () => {
  const submit = (service: Service) => service.submit();
  const outcome = await submitLosing(1, submit, { RATE_LIMIT_PER_MINUTE: "1" });
  assertEquals(outcome, { ...STORED, torn: [], tickets: 0, lost: 1 });
});
