import { assert, assertEquals, assertFalse } from "@std/assert";
import { RunId, TenantId } from "../../domain/context.ts";
import { Submission } from "../../domain/submission.ts";

const FULL: Submission = {
  summary: "The printer is on fire",
  description: "It burns.\r\nStill.",
  severity: "high",
  contact: { name: "Ada", email: "ada@example.com" },
  diagnostics: { browser: "Firefox 145", "a b": "" },
  handoff: { mode: "link", ticket: "42" },
};

/** The places that are wrong, as a client is told them. */
function wrong(value: unknown): string[] {
  const parsed = Submission.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

function diagnostics(count: number, key = (i: number) => `key ${i}`) {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [key(i), "value"]));
}

Deno.test("Submission accepts every field and keeps it as it was sent", () => {
  assertEquals(Submission.parse(FULL), FULL);
});

Deno.test("Submission needs a summary only, of normal severity and for no desk by default", () => {
  assertEquals(Submission.parse({ summary: " Help " }), {
    summary: "Help",
    severity: "normal",
    handoff: { mode: "none" },
  });
});

Deno.test("Submission refuses a field that it does not know, at every level", () => {
  for (
    const value of [
      { ...FULL, sumary: "typo" },
      { ...FULL, contact: { ...FULL.contact, phone: "1" } },
      { ...FULL, handoff: { mode: "create", ticket: "42" } },
      { ...FULL, handoff: { mode: "none", x: 1 } },
      { ...FULL, handoff: { mode: "link", ticket: "42", url: "https://desk.example" } },
    ]
  ) assertFalse(Submission.safeParse(value).success, JSON.stringify(value));
});

Deno.test("Submission accepts each field up to its limit and no further", () => {
  const fields: [string, number, (text: string) => unknown][] = [
    ["summary", 200, (summary) => ({ summary })],
    ["description", 8000, (description) => ({ ...FULL, description })],
    ["contact.name", 120, (name) => ({ ...FULL, contact: { name } })],
    ["diagnostics.a", 500, (a) => ({ ...FULL, diagnostics: { a } })],
    ["handoff.ticket", 2000, (ticket) => ({ ...FULL, handoff: { mode: "link", ticket } })],
  ];
  for (const [place, limit, using] of fields) {
    assertEquals(wrong(using("😀".repeat(limit))), []);
    assertEquals(wrong(using("😀".repeat(limit + 1))), [place]);
  }
});

Deno.test("Submission accepts 20 diagnostics with keys of 64 characters and no more", () => {
  assertEquals(wrong({ ...FULL, diagnostics: diagnostics(20) }), []);
  assertEquals(wrong({ ...FULL, diagnostics: diagnostics(21) }), ["diagnostics"]);
  assertEquals(wrong({ ...FULL, diagnostics: { ["k".repeat(64)]: "" } }), []);
  for (const key of ["k".repeat(65), "", "a\nb", "\ud800"]) {
    assertEquals(wrong({ ...FULL, diagnostics: { [key]: "" } }).length, 1, JSON.stringify(key));
  }
});

Deno.test("Submission loses no diagnostics to keys that look alike", () => {
  const sent = { "a": "1", " a": "2", "a ": "3", "constructor": "4", "toString": "5" };
  assertEquals(Submission.parse({ ...FULL, diagnostics: sent }).diagnostics, sent);
  const many = diagnostics(21, (i) => " ".repeat(i) + "k");
  assertEquals(wrong({ ...FULL, diagnostics: many }), ["diagnostics"]);
});

Deno.test("Submission refuses values of another type", () => {
  for (
    const [place, value] of [
      ["summary", { summary: 1 }],
      ["description", { ...FULL, description: null }],
      ["severity", { ...FULL, severity: "urgent" }],
      ["contact", { ...FULL, contact: "ada@example.com" }],
      ["contact.email", { ...FULL, contact: { email: "ada" } }],
      ["contact.email", { ...FULL, contact: { email: "Ada <ada@example.com>" } }],
      ["contact.email", { ...FULL, contact: { email: "a@b.example\nBcc: c@d.example" } }],
      ["contact.email", { ...FULL, contact: { email: `${"a".repeat(243)}@example.com` } }],
      ["diagnostics.a", { ...FULL, diagnostics: { a: 1 } }],
      ["handoff.mode", { ...FULL, handoff: { mode: "email" } }],
      ["handoff.ticket", { ...FULL, handoff: { mode: "link" } }],
      ["handoff.ticket", { ...FULL, handoff: { mode: "link", ticket: 42 } }],
    ] as const
  ) assertEquals(wrong(value), [place]);
});

Deno.test("Submission names everything that is wrong at once", () => {
  const value = { summary: "", description: "a\tb", severity: "x", contact: { email: "x" } };
  assertEquals(wrong(value).toSorted(), ["contact.email", "description", "severity", "summary"]);
});

for (const [name, Id] of Object.entries({ TenantId, RunId })) {
  Deno.test(`${name} is 1 to 128 letters, digits and a few marks, and begins with neither mark`, () => {
    for (const id of ["a", "Z", "0", "a.b_c:d-e", "A".repeat(128)]) {
      assert(Id.safeParse(id).success, id);
    }
    const others = [
      "",
      "A".repeat(129),
      ".",
      "-a",
      "_a",
      ":a",
      "a/b",
      "a b",
      "a\n",
      "ä",
      "a\0",
      "😀",
    ];
    for (const id of others) assertFalse(Id.safeParse(id).success, JSON.stringify(id));
  });
}
