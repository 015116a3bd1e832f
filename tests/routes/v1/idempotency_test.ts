import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { deskEnv, RUN, TENANT } from "../../support/constants.ts";
import { type Call, openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

function keyed(json: unknown, call: Call = {}): Call {
  return { json, ...call, headers: { "Idempotency-Key": "k-1" } };
}

Deno.test("a repeated submission is answered with the stored request and is not stored again", async () => {
  await using service = await openService();
  const first = await service.call(TENANT, keyed({ summary: "Help", severity: "normal" }));
  const stored = await first.json();
  // The same submission: a default left out, another order, other spaces around the summary.
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
  // As version 1 stored it: every header that is visible ASCII was the key itself.
  const earlier = await service.call(TENANT, keyed(json));
  const stored = await earlier.json();
  const [record] = await Array.fromAsync(service.kv.list({ prefix: ["idempotency"] }));
  await service.kv.set([...record!.key.slice(0, -1), '"k-9"'], record!.value);
  const headers = { "Idempotency-Key": '"k-9"' };
  const again = await service.call(TENANT, { json, headers });
  assertEquals([again.status, again.headers.get("Idempotent-Replayed")], [201, "true"]);
  assertEquals(await again.json(), stored);
});

Deno.test("a key used for another body or another context is refused", async () => {
  await using service = await openService();
  await service.call(TENANT, keyed({ summary: "Help" }));
  for (
    const [path, summary] of [[TENANT, "Help me"], [RUN, "Help"]] as const
  ) {
    const answer = await service.call(path, keyed({ summary }));
    await assertProblem(answer, 422, "idempotency-key-reused");
  }
  const run = await (await service.call(`${RUN}/latest`)).json();
  assertEquals(run.supportRequest, null);
});

Deno.test("a key belongs to its tenant and actor: another's is another key", async () => {
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
    const answer = await service.call(path, keyed({ summary: "Help" }, { token }));
    assertEquals([answer.status, answer.headers.get("Idempotent-Replayed")], [201, null]);
    references.add((await answer.json()).reference);
  }
  assertEquals(references.size, 3);
});

Deno.test("two submissions without a key are two requests", async () => {
  await using service = await openService();
  const json = { summary: "Help" };
  const first = await (await service.call(TENANT, { json })).json();
  const second = await (await service.call(TENANT, { json })).json();
  assertNotEquals(first.reference, second.reference);
});

Deno.test("a submission that is under way is not made twice: 409 says when to ask again", async () => {
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
    const answer = await service.call(TENANT, call);
    await assertProblem(answer, 409, "idempotency-in-progress");
    // Its deadline: five seconds each for the desk, the start delay and the clock skew.
    assertMatch(answer.headers.get("Retry-After")!, /^1[0-5]$/);
    await desk.close();
    assertEquals((await first).status, 201);
    assertEquals(desk.tickets.length, 1);
  }
});

for (
  const [name, key] of [
    ["an empty one", ""],
    ["256 characters", "k".repeat(256)],
    ["a space", "a b"],
    ["a character that is not ASCII", "clé"],
    ["two of them", "a, b"],
    ["a tab", "a\tb"],
    ["quotes that do not end", '"k-1'],
    ["quotes around nothing", '""'],
    ["two in quotes", '"a", "b"'],
    ["a backslash that escapes nothing", String.raw`"a\b"`],
  ] as const
) {
  Deno.test(`the idempotency key is refused: ${name}`, async () => {
    await using service = await openService();
    const answer = await service.call(TENANT, {
      json: { summary: "Help" },
      headers: { "Idempotency-Key": key },
    });
    await assertProblem(answer, 400, "invalid-idempotency-key");
  });
}

Deno.test("the longest key of the actor with the longest id is kept", async () => {
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
