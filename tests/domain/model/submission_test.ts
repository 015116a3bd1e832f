import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { RunId, TenantId } from "../../../domain/model/context.ts";
import { Submission } from "../../../domain/model/submission.ts";
import { anyLongText, anyText } from "../../support/text_arbitraries.ts";

const FULL: Submission = {
  summary: "The printer is on fire",
  description: "It burns.\n\tStill.",
  severity: "high",
  contact: { name: "Ada", email: "ada@example.com" },
  diagnostics: { browser: "Firefox 145", trace: "Error: x\n\tat y" },
  handoff: { mode: "link", ticket: "42" },
};

/** Returns the paths of invalid fields, as a client receives them. */
function invalidPaths(value: unknown): string[] {
  const parsed = Submission.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

Deno.test("Submission accepts every field, and leaves clean text unchanged", () => {
  assertEquals(Submission.parse(FULL), FULL);
});

Deno.test("Submission needs only a summary; severity and handoff have defaults", () => {
  assertEquals(Submission.parse({ summary: " Help " }), {
    summary: "Help",
    severity: "normal",
    handoff: { mode: "none" },
  });
});

Deno.test("Submission rejects an unknown field, at every level", () => {
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

Deno.test("typed text is accepted up to its limit, and beyond it its field is reported", () => {
  const fields: [string, number, (text: string) => unknown][] = [
    ["summary", 200, (summary) => ({ summary })],
    ["description", 8000, (description) => ({ ...FULL, description })],
    ["contact.name", 120, (name) => ({ ...FULL, contact: { name } })],
    ["handoff.ticket", 2000, (ticket) => ({ ...FULL, handoff: { mode: "link", ticket } })],
  ];
  for (const [place, limit, using] of fields) {
    assertEquals(invalidPaths(using("😀".repeat(limit))), []);
    assertEquals(invalidPaths(using("😀".repeat(limit + 1))), [place]);
  }
});

Deno.test("everything optional is absent if it is null or blank", () => {
  const least = { summary: "x", severity: "normal", handoff: { mode: "none" } };
  assertEquals(Submission.parse({ summary: "x" }) as unknown, least);
  for (const absent of [null, "", " ", "\r\n\t", "\u00a0\ufeff"]) {
    for (
      const fields of [
        { description: absent },
        { severity: absent },
        { contact: absent },
        { contact: { name: absent } },
        { contact: { name: absent, email: absent } },
        { diagnostics: absent },
        { diagnostics: { a: absent } },
        { handoff: absent },
        { handoff: { mode: "none", ticket: absent } },
      ]
    ) {
      const parsed = Submission.parse({ summary: "x", ...fields });
      assertEquals(Object.keys(parsed).toSorted(), Object.keys(least).toSorted());
      assertEquals(parsed as unknown, least);
    }
    const create = { mode: "create", ticket: absent };
    assertEquals(Submission.parse({ summary: "x", handoff: create }).handoff, { mode: "create" });
    assertEquals(invalidPaths({ summary: absent }), ["summary"]);
  }
  const contact = { name: "", email: "ada@example.com" };
  assertEquals(Submission.parse({ summary: "x", contact }).contact, { email: "ada@example.com" });
  assertEquals(Submission.parse({ summary: "x", contact: {} }) as unknown, least);
});

Deno.test("Submission rejects values of another type and unknown values", () => {
  for (
    const [place, value] of [
      ["summary", { summary: 1 }],
      ["description", { ...FULL, description: 1 }],
      ["severity", { ...FULL, severity: "urgent" }],
      ["severity", { ...FULL, severity: 1 }],
      ["contact", { ...FULL, contact: "ada@example.com" }],
      ["contact", { ...FULL, contact: [] }],
      ["contact.name", { ...FULL, contact: { name: 1 } }],
      ["contact.email", { ...FULL, contact: { email: "ada" } }],
      ["diagnostics", { ...FULL, diagnostics: ["a"] }],
      ["diagnostics.a", { ...FULL, diagnostics: { a: { b: 1 } } }],
      ["diagnostics.a", { ...FULL, diagnostics: { a: ["b"] } }],
      ["handoff.mode", { ...FULL, handoff: { mode: "email" } }],
      ["handoff.mode", { ...FULL, handoff: {} }],
      ["handoff.ticket", { ...FULL, handoff: { mode: "link" } }],
      ["handoff.ticket", { ...FULL, handoff: { mode: "link", ticket: 42 } }],
    ] as const
  ) assertEquals(invalidPaths(value), [place]);
});

Deno.test("Submission reports everything that is wrong together", () => {
  const value = { summary: "", description: 1, severity: "x", contact: { email: "x" } };
  assertEquals(invalidPaths(value).toSorted(), [
    "contact.email",
    "description",
    "severity",
    "summary",
  ]);
});

Deno.test("cleaning a submission again changes nothing", () => {
  const submission = fc.record({
    summary: anyLongText,
    description: anyLongText,
    contact: fc.record({ name: anyText }),
    diagnostics: fc.dictionary(anyText.filter((key) => key !== "__proto__"), anyLongText),
  });
  fc.assert(fc.property(submission, (sent) => {
    const parsed = Submission.safeParse(sent);
    if (parsed.success) assertEquals(Submission.parse(parsed.data), parsed.data);
  }));
});

const OTHER_IDS = [
  "",
  ".",
  "..",
  "-a",
  ":a",
  "+a",
  "~a",
  "a/b",
  "a b",
  "a\n",
  "ä",
  "a\0",
  "😀",
  "a%2Fb",
];

Deno.test("TenantId is 1 to 128 letters, digits and marks, and starts with no mark", () => {
  for (const id of ["a", "Z", "0", "a.b_c:d-e", "A".repeat(128)]) {
    assert(TenantId.safeParse(id).success, id);
  }
  for (const id of [...OTHER_IDS, "_a", "a+b", "a@b", "A".repeat(129)]) {
    assertFalse(TenantId.safeParse(id).success, JSON.stringify(id));
  }
});

Deno.test("RunId accepts the ids of workflow engines", () => {
  for (
    const id of [
      "a",
      "_",
      "manual__2026-11-25T00:00:00.123456+00:00",
      "scheduled__2026-11-25T00:00:00+00:00",
      "nightly@host~1=2",
      "a".repeat(250),
    ]
  ) assert(RunId.safeParse(id).success, id);
  for (const id of [...OTHER_IDS, "@a", "=a", "A".repeat(251)]) {
    assertFalse(RunId.safeParse(id).success, JSON.stringify(id));
  }
});
