import { assertEquals } from "@std/assert";
import { load } from "../load.ts";
import { deskhand, script, start } from "../processes.ts";
import { deskEnvironment, submissions } from "../requests.ts";
import { temporaryPath } from "../../support/kv_file.ts";
import { contextAt, DEEP_TENANT, fill } from "./fill.ts";

Deno.test("a filled file has the same records as one that the service has written", async () => {
  await using file = await temporaryPath();
  {
    await using desk = await start(script("desk.ts"));
    await using service = await start(deskhand(file.path, deskEnvironment(desk.port)));
    const plan = await submissions({ isKeyed: true, outcome: "created" });
    await load(service.port, plan, { connections: 1, responses: 1 });
  }
  using written = await Deno.openKv(file.path);
  using filled = await Deno.openKv(":memory:");
  await fill(filled, 1);
  const types = async (kv: Deno.Kv) => {
    const entries = await Array.fromAsync(kv.list({ prefix: [] }));
    return entries.map(({ key, value }) => [key, value].map(typesOf));
  };
  const expected = await types(written);
  assertEquals(expected.length, 4);
  assertEquals(await types(filled), expected);
});

Deno.test("a filled file has a tenth of the requests in one context, the others in runs", async () => {
  using kv = await Deno.openKv(":memory:");
  await fill(kv, 1000);
  const count = async (prefix: Deno.KvKey) => (await Array.fromAsync(kv.list({ prefix }))).length;
  assertEquals(await count(["tenant", DEEP_TENANT]), 100);
  assertEquals(await count(["run"]), 900);
  assertEquals(await count(["audit"]), 2000);
  assertEquals(await count(["idempotency"]), 1000);
});

Deno.test("a million requests are in 10,001 contexts", () => {
  const contexts = new Set<string>();
  for (let i = 0; i < 1_000_000; i++) contexts.add(JSON.stringify(contextAt(i, 1_000_000)));
  assertEquals(contexts.size, 10_001);
});

/** The fields of a record and the types of their values. */
function typesOf(record: unknown): unknown {
  return JSON.parse(JSON.stringify(record, (_, value) => {
    return typeof value === "object" && value !== null ? value : typeof value;
  }));
}
