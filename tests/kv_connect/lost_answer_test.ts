/**
 * The KV client sends a commit again where its answer was lost. The second one finds the first one
 * done, and its checks fail: that must not be taken for somebody else's write.
 */
import { assertEquals } from "@std/assert";
import { readContents, torn } from "../support/kv_contents.ts";
import { type Service, startService } from "../support/service_process.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv, isReady } from "./fleet.ts";
import { startLossyProxy } from "./lossy_proxy.ts";
import { startKvServer } from "./server.ts";

const CREATE = { handoff: { mode: "create" } };

/** Loses the answers of a submission's first commits, and says what came of it. */
async function submitLosing(
  count: number,
  submit: (service: Service) => ReturnType<Service["submit"]>,
  env: Record<string, string> = {},
) {
  await using server = await startKvServer();
  await using proxy = startLossyProxy(server.url);
  const desk = startFakeDesk();
  const all = { ...server.env, ...deskEnv(desk), ...env };
  await using service = await startService({ kvPath: proxy.url, env: all });
  await isReady(service);
  proxy.lose(count);
  const { status, headers, body } = await submit(service);
  const events = (await service.auditEvents()).map(({ event }) => event).reverse().join(", ");
  const found = {
    status,
    replayed: headers.get("Idempotent-Replayed"),
    handoff: `${body.handoff?.status}`,
    events,
    torn: torn(await readContents(server.url)),
    tickets: desk.tickets.length,
    lost: proxy.lost,
  };
  await desk.close();
  return found;
}

const KEPT = { status: 201, replayed: null, handoff: "none", events: "request.submitted" };
const HANDED_OFF = { ...KEPT, handoff: "created", events: "request.submitted, handoff.created" };

for (const [with_, to] of [["without a key", {}], ["with a key", { key: "key-1" }]] as const) {
  Deno.test(`a submission ${with_} is stored once though the answer of its commit was lost`, async () => {
    const found = await submitLosing(1, (service) => service.submit({}, to));
    assertEquals(found, { ...KEPT, torn: [], tickets: 0, lost: 1 });
  });

  Deno.test(`a submission ${with_} is handed off once though the answers of its commits were lost`, async () => {
    const found = await submitLosing(2, (service) => service.submit(CREATE, to));
    assertEquals(found, { ...HANDED_OFF, torn: [], tickets: 1, lost: 2 });
  });
}

Deno.test("a submission is counted once against the limit though the answer of the count was lost", async () => {
  const submit = (service: Service) => service.submit();
  const found = await submitLosing(1, submit, { RATE_LIMIT_PER_MINUTE: "1" });
  assertEquals(found, { ...KEPT, torn: [], tickets: 0, lost: 1 });
});
