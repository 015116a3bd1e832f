import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { deskEnv, RUN, TENANT } from "../../support/constants.ts";
import { type Call, openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

function keyed(json: unknown, call: Call = {}): Call {
  return { json, ...call, headers: { "Idempotency-Key": "k-1" } };
}

Deno.test("a retry returns the stored request and stores nothing", async () => {
  await using service = await openService();
  const first = await service.call(TENANT, keyed({ summary: "Help", severity: "normal" }));
  const stored = await first.json();
  // The same submission: an explicit default, another order, spaces around the summary.
  const again = await service.call(TENANT, keyed({ handoff: { mode: "none" }, summary: " Help " }));
  assertEquals(again.status, 201);
  assertEquals(again.headers.get("Idempotent-Replayed"), "true");
  assertEquals(await again.json(), stored);
  const audit = await (await service.call("/v1/tenants/acme/audit-events")).json();
  assertEquals(audit.events.length, 1);
});

Deno.test("a retry may quote the key, as the IETF draft does, or not", async () => {
  await using service = await openService();
  const call = (key: string): Call => ({
    json: { summary: "Help" },
    headers: { "Idempotency-Key": key },
  });
  const stored = await (await service.call(TENANT, call('a"1'))).json();
  for (const key of [String.raw`"a\"1"`, String.raw`"a\"1";v=2`, 'a"1']) {
    const again = await service.call(TENANT, call(key));
    assertEquals(again.headers.get("Idempotent-Replayed"), "true", key);
    assertEquals(await again.json(), stored);
  }
});

Deno.test("a quoted key that an earlier version stored with its quotes is found", async () => {
  await using service = await openService();
  const json = { summary: "Help" };
  // In version 1, the key was the header as sent, including quotes.
  const earlier = await service.call(TENANT, keyed(json));
  const stored = await earlier.json();
  const [record] = await Array.fromAsync(service.kv.list({ prefix: ["idempotency"] }));
  await service.kv.set([...record!.key.slice(0, -1), '"k-9"'], record!.value);
  const headers = { "Idempotency-Key": '"k-9"' };
  const again = await service.call(TENANT, { json, headers });
  assertEquals([again.status, again.headers.get("Idempotent-Replayed")], [201, "true"]);
  assertEquals(await again.json(), stored);
});

Deno.test("a key that was used for another body or context is rejected", async () => {
  await using service = await openService();
  await service.call(TENANT, keyed({ summary: "Help" }));
  for (
    const [path, summary] of [[TENANT, "Help me"], [RUN, "Help"]] as const
  ) {
    const response = await service.call(path, keyed({ summary }));
    await assertProblem(response, 422, "idempotency-key-reused");
  }
  const run = await (await service.call(`${RUN}/latest`)).json();
  assertEquals(run.supportRequest, null);
});

Deno.test("the same key of another tenant or actor is a different key", async () => {
  await using service = await openService();
  const tenants = ["acme", "other"];
  const references = new Set<string>();
  for (
    const [path, sub] of [
      [TENANT, "u-1"],
      [TENANT, "u-2"],
      ["/v1/tenants/other/support-requests", "u-1"],
    ] as const
  ) {
    const token = { sub, tenants };
    const response = await service.call(path, keyed({ summary: "Help" }, { token }));
    assertEquals([response.status, response.headers.get("Idempotent-Replayed")], [201, null]);
    references.add((await response.json()).reference);
  }
  assertEquals(references.size, 3);
});

Deno.test("two submissions without a key are stored as two requests", async () => {
  await using service = await openService();
  const json = { summary: "Help" };
  const first = await (await service.call(TENANT, { json })).json();
  const second = await (await service.call(TENANT, { json })).json();
  assertNotEquals(first.reference, second.reference);
});

Deno.test("a retry during the first submission is 409 and says when to retry", async () => {
  const desk = startFakeDesk();
  desk.behave("hang-after-create");
  {
    await using service = await openService({
      env: {
        ...deskEnv(desk),
      },
    });
    const call = keyed({ summary: "Help", handoff: { mode: "create" } });
    const first = service.call(TENANT, call);
    while (desk.tickets.length === 0) await service.call(`${TENANT}/latest`);
    const response = await service.call(TENANT, call);
    await assertProblem(response, 409, "idempotency-in-progress");
    // Its deadline: five seconds each for the desk, the start delay and the clock skew.
    assertMatch(response.headers.get("Retry-After")!, /^1[0-5]$/);
    await desk.close();
    assertEquals((await first).status, 201);
    assertEquals(desk.tickets.length, 1);
  }
});

for (
  const [name, key] of [
    ["empty", ""],
    ["256 characters", "k".repeat(256)],
    ["a space", "a b"],
    ["a character that is not ASCII", "clé"],
    ["two keys", "a, b"],
    ["a tab", "a\tb"],
    ["an unclosed quote", '"k-1'],
    ["empty quotes", '""'],
    ["two quoted keys", '"a", "b"'],
    ["a backslash that escapes nothing", String.raw`"a\b"`],
  ] as const
) {
  Deno.test(`an idempotency key is rejected: ${name}`, async () => {
    await using service = await openService();
    const response = await service.call(TENANT, {
      json: { summary: "Help" },
      headers: { "Idempotency-Key": key },
    });
    await assertProblem(response, 400, "invalid-idempotency-key");
  });
}

Deno.test("the longest key of an actor with the longest ID is stored", async () => {
  await using service = await openService();
  const call: Call = {
    token: { sub: "😀".repeat(255) },
    json: { summary: "Help" },
    headers: { "Idempotency-Key": "~".repeat(255) },
  };
  assertEquals((await service.call(TENANT, call)).status, 201);
  const again = await service.call(TENANT, call);
  assertEquals(again.headers.get("Idempotent-Replayed"), "true");
});
