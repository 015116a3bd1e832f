/** What domain/README.md says of the code and its tests must stay true. */
import { assert, assertEquals } from "@std/assert";
import { FailureReason, failureSummary } from "../../domain/model/failure.ts";
import { testNames } from "../support/test_names.ts";

const ROOT = new URL("../../", import.meta.url);
const readme = await Deno.readTextFile(new URL("domain/README.md", ROOT));

Deno.test("each test that domain/README.md names exists", async () => {
  const text = readme.replaceAll(/\s+/g, " ");
  const named = [...text.matchAll(/`(tests\/[\w/]+\.ts)`: "([^"]+)"/g)];
  assert(named.length >= 10);
  for (const [, path, name] of named) {
    assert((await testNames(path!)).some((pattern) => pattern.test(name!)), `${path}: ${name}`);
  }
});

Deno.test("each file and folder that domain/README.md names exists", async () => {
  for (const [, path] of readme.matchAll(/`([\w/]+(?:\.ts|\/))`/g)) {
    const base = /^(tests|kv|desk)\//.test(path!) ? "" : "domain/";
    await Deno.stat(new URL(base + path, ROOT));
  }
});

Deno.test("domain/README.md describes each failure as the user reads it", () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` +\|.*\| ([^|]+?) +\|$/mg)];
  const described = Object.fromEntries(rows.map(([, reason, sentence]) => [reason!, sentence!]));
  assertEquals(Object.keys(described), FailureReason.options);
  for (const reason of FailureReason.options) {
    const summary = failureSummary({ reason, ticketMayExist: true }, "Desk", "SR-1");
    assertEquals(summary.split(";")[0], described[reason]!.replaceAll("_Desk_", "Desk"));
  }
});
