import {
  assert,
  assertEquals,
  assertFalse,
  assertLessOrEqual,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { ticketContent, ticketSubject } from "../../desk/ticket_text.ts";
import { REFERENCE, supportRequest } from "../support/records.ts";

const PREFIX = `[${REFERENCE}] `;
const INDENT = "\u00A0".repeat(4);

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function summaryIn(summary: string): string {
  return ticketSubject(REFERENCE, summary).slice(PREFIX.length);
}

for (const unit of ["grapheme", "binary", "binary-ascii"] as const) {
  Deno.test(`ticketSubject fits 200 bytes of valid Unicode whatever the summary (${unit})`, () => {
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 400, size: "max" }), (summary) => {
        const subject = ticketSubject(REFERENCE, summary);
        assert(subject.startsWith(PREFIX));
        assert(subject.length > PREFIX.length);
        assertLessOrEqual(bytes(subject), 200);
        assert(subject.isWellFormed());
        assertFalse(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(subject));
      }),
    );
  });
}

Deno.test("ticketSubject keeps what fits, and marks what it truncates", () => {
  assertEquals(summaryIn("x".repeat(168)), "x".repeat(168));
  assertEquals(summaryIn("x".repeat(169)), "x".repeat(165) + "…");
  assertEquals(summaryIn("ü".repeat(84)), "ü".repeat(84));
  assertEquals(summaryIn("ü".repeat(85)), "ü".repeat(82) + "…");
});

Deno.test("ticketSubject never splits a grapheme", () => {
  const family = "👨‍👩‍👧‍👦";
  assertEquals(summaryIn(family.repeat(7)), family.repeat(6) + "…");
  const accented = "e\u0301";
  assertEquals(summaryIn(accented.repeat(60)), accented.repeat(55) + "…");
});

Deno.test("ticketSubject is valid even if one grapheme is too long", () => {
  assertEquals(summaryIn("e" + "\u0301".repeat(199)), "…");
});

Deno.test("ticketSubject removes deceptive characters", () => {
  const deceptive = [0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029];
  deceptive.push(0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x3164, 0xfeff, 0xfff9, 0xe0041);
  deceptive.push(0x00, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x200c, 0x200d, 0xfe0f);
  for (const code of deceptive) {
    assertEquals(summaryIn(`a${String.fromCodePoint(code)}b`), "ab", code.toString(16));
  }
});

Deno.test("ticketSubject keeps the joiners that words and emoji need", () => {
  for (const text of ["می‌خواهم", "क्‍ष", "❤️‍🔥 👩‍💻"]) assertEquals(summaryIn(text), text);
});

Deno.test("ticketSubject has a default title if the summary is invisible", () => {
  assertEquals(summaryIn("\u202e\u200b\u3164"), "Support request");
});

Deno.test("ticketContent contains everything that support agents need", () => {
  assertEquals(
    ticketContent(supportRequest()),
    `Reference: ${REFERENCE}
Tenant: acme
Run: r-1
Severity: high
Submitted at: 2026-11-23T12:00:00.000Z
Submitted by: u-1 (Ada)
Contact: ada@example.com (Ada Lovelace)

Summary:
${INDENT}The printer is on fire

Description:
${INDENT}It began at noon.
${INDENT}There is smoke.

Diagnostics:
${INDENT}version: 1.2.3
${INDENT}last error: E42
`,
  );
});

Deno.test("ticketContent omits what a request does not have", () => {
  const content = ticketContent(supportRequest({
    context: { kind: "tenant", tenantId: "acme" },
    contact: undefined,
    description: undefined,
    diagnostics: undefined,
    createdBy: { id: "u-1" },
  }));
  assertEquals(
    content,
    `Reference: ${REFERENCE}
Tenant: acme
Severity: high
Submitted at: 2026-11-23T12:00:00.000Z
Submitted by: u-1

Summary:
${INDENT}The printer is on fire
`,
  );
});

Deno.test("ticketContent names a contact without an email address", () => {
  const content = ticketContent(supportRequest({ contact: { name: "Ada" } }));
  assertStringIncludes(content, "\nContact: Ada\n");
});

Deno.test("ticketContent keeps line breaks and indentation", () => {
  const content = ticketContent(supportRequest({ description: "Error: x\n  at a b\n\nend " }));
  assertStringIncludes(
    content,
    `:\n${INDENT}Error: x\n${INDENT}\u00A0\u00A0at a b\n\n${INDENT}end\n`,
  );
});

Deno.test("ticketContent puts a stack trace below its key, with its indentation", () => {
  const trace = "Error: x\n\tat y\n  z";
  const content = ticketContent(supportRequest({ diagnostics: { a: "1", trace, b: "2" } }));
  const lines = [
    `${INDENT}a: 1`,
    `${INDENT}trace:`,
    `${INDENT}${INDENT}Error: x`,
    `${INDENT}${INDENT}${INDENT}at y`,
    `${INDENT}${INDENT}\u00A0\u00A0z`,
    `${INDENT}b: 2`,
  ];
  assertStringIncludes(content, `Diagnostics:\n${lines.join("\n")}\n`);
});

Deno.test("no line of a diagnostics value can imitate one of ours", () => {
  const diagnostics = { a: "x\nSeverity: low\n\nReference: SR-1\nb: 2" };
  const content = ticketContent(supportRequest({ diagnostics }));
  assertEquals(content.match(/^\S.*$/gm)?.filter((line) => /Severity|SR-1$/.test(line)), [
    "Severity: high",
  ]);
});

Deno.test("no line that a user types can imitate one of ours", () => {
  const content = ticketContent(supportRequest({
    description: "x\r\nSeverity: low\n\nTenant: other",
    createdBy: { id: "u-1", name: "\u202eroot" },
  }));
  assertEquals(content.match(/^Severity: .*$/gm), ["Severity: high"]);
  assertEquals(content.match(/^Tenant: .*$/gm), ["Tenant: acme"]);
  assertStringIncludes(content, "\nSubmitted by: u-1 (root)\n");
});
