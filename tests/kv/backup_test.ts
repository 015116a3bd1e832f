import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import guide from "../../config/deploy/README.md" with { type: "text" };
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";

/** The SQL of the command in the deployment guide. */
const SQL = /sqlite3 requests\.kv "([^"]+)"/.exec(guide)![1]!;

Deno.test("a backup under load has what was acknowledged, and a service starts on it", async () => {
  await using file = await temporaryPath();
  const copy = `${file.path}.copy`;
  await using service = await startService({ kvPath: file.path });
  const acknowledged = await Promise.all(Array.from({ length: 20 }, () => service.submit()));
  const inFlight = Array.from({ length: 200 }, () => service.submit());
  await Promise.race(inFlight);
  const database = new DatabaseSync(file.path);
  database.exec(SQL.replace("copy.kv", copy));
  database.close();
  for (const { status } of await Promise.all(inFlight)) assertEquals(status, 201);

  const kv = await Deno.openKv(copy);
  const stored = await Array.fromAsync(kv.list<{ reference: string }>({ prefix: ["tenant"] }));
  kv.close();
  const references = new Set(stored.map(({ value }) => value.reference));
  for (const { body } of acknowledged) assert(references.has(String(body.reference)));

  await using restored = await startService({ kvPath: copy });
  const { body } = await restored.latest();
  assert(references.has(body.supportRequest!.reference));
  assertEquals((await restored.submit()).status, 201);
});
