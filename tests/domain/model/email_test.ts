import { assert, assertEquals } from "@std/assert";
import { Email } from "../../../domain/model/email.ts";

for (
  const email of [
    "ada@example.com",
    "r&d@acme.example",
    "ada@intranet",
    "o'neill+tag@sub.acme-corp.example",
    "a.b..c@example.com",
    "_@x.y",
    "ada@xn--bcher-kva.example",
    `${"a".repeat(242)}@example.com`,
  ]
) {
  Deno.test(`an email address is accepted as browsers accept it: ${email.slice(0, 40)}`, () => {
    assertEquals(Email.parse(email), email);
    assertEquals(Email.parse(` \u00a0${email}\n`), email);
  });
}

for (
  const [email, ascii] of [
    ["ada@bücher.example", "ada@xn--bcher-kva.example"],
    ["ada@BÜCHER.example", "ada@xn--bcher-kva.example"],
    ["ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"],
    ["info@例え。テスト", "info@xn--r8jz45g.xn--zckzah"],
    // Cyrillic, which reads as apple.com.
    ["ada@аррӏе.com", "ada@xn--80ak6aa92e.com"],
  ] as const
) {
  Deno.test(`an internationalized domain is converted as in browsers: ${email}`, () => {
    assertEquals(Email.parse(email), ascii);
    assertEquals(Email.parse(ascii), ascii);
  });
}

Deno.test("invisible characters around and within an email address are removed", () => {
  const invisible =
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202e\u2060\u2066\u2069\ufe0f\ufeff\u{e0020}";
  for (const character of invisible) {
    for (
      const email of [
        `${character}ada@example.com`,
        `ada@example.com${character}`,
        `ada${character}@example.com`,
        `ada@${character}exam${character}ple.com`,
        ` ${character} ada@example.com ${character} `,
      ]
    ) assertEquals(Email.parse(email), "ada@example.com");
    assertEquals(Email.parse(`ada@bücher.example${character}`), "ada@xn--bcher-kva.example");
    assertEquals(Email.parse(character), undefined);
  }
  // A zero-width non-joiner is part of this domain (UTS #46).
  assertEquals(Email.parse("ada@نامه\u200cای.example"), "ada@xn--mgba3gch31f060k.example");
});

Deno.test("null and blank text are no email address, and no error", () => {
  for (const value of [undefined, null, "", " ", "\t\n", "\0"]) {
    assertEquals(Email.parse(value), undefined);
  }
});

for (
  const email of [
    "ada",
    "@example.com",
    "ada@",
    "ada@@example.com",
    "ada@-a.example",
    "ada@a..example",
    "ada@example.com.",
    "Ada <ada@example.com>",
    "mailto:ada@example.com, x@y",
    "a b@example.com",
    "a@b.example\nBcc: c@d.example",
    "ada@a.example,bob@b.example",
    "ädä@example.com",
    "ada@bücher.example/x",
    "ada@bücher.example:80",
    "ada@bücher.example?x",
    "ada@bü cher.example",
    "ada@[::1]",
    "ada@münchen@example.com",
    `ada@${"ü".repeat(64)}.example`,
  ]
) {
  Deno.test(`an invalid email address is rejected: ${JSON.stringify(email).slice(0, 40)}`, () => {
    const errors = Email.safeParse(email).error?.issues.map(({ message }) => message);
    assertEquals(errors, ["must be an email address such as ada@example.com"]);
  });
}

Deno.test("an email address of more than 254 characters is rejected", () => {
  const { error } = Email.safeParse(`${"a".repeat(243)}@example.com`);
  assertEquals(error?.issues.map(({ message }) => message), ["must be at most 254 characters"]);
  const started = performance.now();
  assert(!Email.safeParse(`${"a".repeat(40_000)}@${"a.".repeat(4_000)}`).success);
  assert(performance.now() - started < 500);
});
