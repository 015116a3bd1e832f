import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import fc from "fast-check";
import type { SupportContext } from "../../../domain/model/context.ts";
import { fingerprint, IDEMPOTENCY_KEY } from "../../../domain/model/idempotency.ts";
import { Submission } from "../../../domain/model/submission.ts";

const TENANT: SupportContext = { kind: "tenant", tenantId: "acme" };
const FULL = {
  summary: "The printer is on fire",
  description: "It burns",
  severity: "normal",
  contact: { name: "Ada", email: "ada@example.com" },
  diagnostics: { browser: "Firefox", page: "/print" },
  handoff: { mode: "link", ticket: "42" },
};

const fingerprintOf = (value: unknown, context: SupportContext = TENANT) =>
  fingerprint(context, Submission.parse(value));

/** Returns the value with the fields of every object in the order that `sort` returns. */
function reordered(value: unknown, sort: (keys: string[]) => string[]): unknown {
  if (value === null || typeof value !== "object") return value;
  const fields = value as Record<string, unknown>;
  return Object.fromEntries(
    sort(Object.keys(fields)).map((key) => [
      key,
      reordered(fields[key], sort),
    ]),
  );
}

Deno.test("fingerprint is a SHA-256 in hex", async () => {
  assertMatch(await fingerprintOf(FULL), /^[0-9a-f]{64}$/);
});

Deno.test("fingerprint does not depend on the order of fields", async () => {
  assertEquals(
    await fingerprintOf(reordered(FULL, (keys) => keys.toReversed())),
    await fingerprintOf(FULL),
  );
  const values = fc.dictionary(
    fc.stringMatching(/^[a-z0-9]{1,8}$/),
    fc.stringMatching(/^[ -~]{0,9}$/),
    {
      maxKeys: 8,
    },
  );
  await fc.assert(fc.asyncProperty(values, async (diagnostics) => {
    const submission = { ...Submission.parse(FULL), diagnostics };
    const backwards = reordered(submission, (keys) => keys.toReversed());
    assertEquals(await fingerprintOf(backwards), await fingerprintOf(submission));
  }));
});

Deno.test("fingerprint does not depend on what cleaning removes", async () => {
  const sent = {
    ...FULL,
    summary: "\tThe printer\r\n is on fire\0",
    description: "\ufeffIt\u001b[1m burns\u001b[0m",
    contact: { name: " Ada\n", email: " ada@example.com" },
    diagnostics: { "page\t": "/print", "browser": "Firefox", "empty": null },
    handoff: { mode: "link", ticket: "42 " },
  };
  assertEquals(await fingerprintOf(sent), await fingerprintOf(FULL));
  const unsorted = { b: "1", a: "2", " a": "3", "a ": "4", c: 5 };
  const diagnostics = (value: unknown) => fingerprintOf({ ...FULL, diagnostics: value });
  const backwards = reordered(unsorted, (keys) => keys.toReversed());
  assertEquals(await diagnostics(backwards), await diagnostics(unsorted));
});

Deno.test("fingerprint does not depend on whether defaults were sent", async () => {
  const explicit = { summary: " Help ", severity: "normal", handoff: { mode: "none" } };
  assertEquals(await fingerprintOf({ summary: "Help" }), await fingerprintOf(explicit));
  const absent = { description: "", severity: null, contact: {}, diagnostics: {}, handoff: "" };
  assertEquals(
    await fingerprintOf({ summary: "Help" }),
    await fingerprintOf({ summary: "Help", ...absent }),
  );
});

Deno.test("fingerprint differs if any field differs", async () => {
  const { contact: _, ...withoutContact } = FULL;
  const others = [
    FULL,
    { ...FULL, summary: "The printer is off fire" },
    { ...FULL, description: null },
    { ...FULL, severity: "high" },
    { ...FULL, contact: { name: "Ada" } },
    withoutContact,
    { ...FULL, diagnostics: { browser: "/print", page: "Firefox" } },
    { ...FULL, diagnostics: { browser: "Firefox", page: "/print", x: "0" } },
    { ...FULL, diagnostics: {} },
    { ...FULL, handoff: { mode: "link", ticket: "43" } },
    { ...FULL, handoff: { mode: "create" } },
    { ...FULL, handoff: { mode: "none" } },
  ];
  const fingerprints = await Promise.all(others.map((other) => fingerprintOf(other)));
  assertEquals(new Set(fingerprints).size, others.length);
});

Deno.test("fingerprint differs between contexts", async () => {
  const contexts: SupportContext[] = [
    TENANT,
    { kind: "tenant", tenantId: "globex" },
    { kind: "run", tenantId: "acme", runId: "r-1" },
    { kind: "run", tenantId: "acme", runId: "r-2" },
    { kind: "run", tenantId: "globex", runId: "r-1" },
  ];
  const fingerprints = await Promise.all(contexts.map((context) => fingerprintOf(FULL, context)));
  assertEquals(new Set(fingerprints).size, contexts.length);
});

Deno.test("IDEMPOTENCY_KEY is 1 to 255 visible ASCII characters", () => {
  for (const key of ["a", "!", "~", "a".repeat(255), crypto.randomUUID()]) {
    assert(IDEMPOTENCY_KEY.test(key), key);
  }
  for (const key of ["", " ", "a b", "a\n", "\x7f", "é", "a".repeat(256)]) {
    assertFalse(IDEMPOTENCY_KEY.test(key), JSON.stringify(key));
  }
});
