import fc from "fast-check";

/** One example at least of every kind of text that made trouble for somebody's software. */
export const KINDS: Record<string, string> = {
  "NUL": "a\0b",
  "C0 controls": String.fromCharCode(...Array(0x20).keys()),
  "DEL and C1 controls": String.fromCharCode(
    0x7f,
    ...Array.from({ length: 32 }, (_, i) => 0x80 + i),
  ),
  "line breaks": "a\nb\r\nc\rd\u0085e\u2028f\u2029g\vh\fi",
  "tabs": "\tat x\n\t\tat y",
  "terminal colors": "\u001b[1;31mERROR\u001b[0m \u001b[2K\u001b[38;5;196mfailed\u001b[m",
  "a lone high surrogate": "a\ud83d",
  "a lone low surrogate": "\ude00b",
  "swapped surrogates": "\ude00\ud83d",
  "byte order marks": "\ufeff\ufeffa\ufeffb",
  "bidirectional marks": "\u202eevil\u202c \u2066x\u2069 \u200f",
  "zero-width characters": "a\u200bb\u2060c\u00add",
  "an emoji of several": "👩‍👩‍👧‍👦🏳️‍🌈🇪🇺👍🏽",
  "combining marks": "e" + "\u0301".repeat(300),
  "right-to-left": "مرحبا שלום",
  "full width": "＃４２　ｔｅｘｔ",
  "noncharacters": "\ufffe\uffff\u{1ffff}\u{10ffff}",
  "private use": "\ue000\u{f0000}",
  "a replacement character": "a\ufffdb",
  "JSON in JSON": `{"a":"\\u0000\\"","__proto__":{}}`,
  "HTML": `<script>alert(1)</script>&amp;"'`,
  "SQL and shell": `'; DROP TABLE x; -- $(rm -rf /) %00 %s`,
  "a constructor": "constructor",
  "blank": " \t\n\u00a0\u3000 ",
};

/** Text of any kind: controls, marks, surrogates alone and in pairs, clusters, long runs of one. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...Object.values(KINDS)),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 40 }),
  fc.array(fc.constantFrom(...Object.values(KINDS), "[", "m", "31", "\u001b", " ", "\r", "\n"), {
    maxLength: 8,
  }).map((parts) => parts.join("")),
);

/** The same, and long runs of one piece, up to some ten thousand characters. */
export const anyLongText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: anyText },
  fc.tuple(
    fc.oneof(fc.constantFrom("x", "é", "語", "😀", "\u0301", " ", "\u001b", "👍🏽"), anyText),
    fc.nat(9_000),
  )
    .map(([piece, length]) => piece.repeat(Math.ceil(length / Math.max(1, piece.length)))),
);
