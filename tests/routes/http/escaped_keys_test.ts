import { assertEquals } from "@std/assert";
import { parseStrictJson } from "../../../routes/http/strict_json.ts";

function read(text: string): unknown {
  const parsed = parseStrictJson(new TextEncoder().encode(text));
  return parsed.outcome === "read" ? parsed.value : parsed.detail;
}

const entries = (text: string) => Object.entries(read(text) as Record<string, unknown>);

/** The earlier body, and one whose second key is escaped, each with what was sent as that key. */
const BODIES: [before: string, after: string, key: string][] = [
  [String.raw`\\`, String.raw`\"`, '"'],
  [String.raw`\\`, String.raw`\u00e9`, "é"],
  [String.raw`\\`, String.raw`\n`, "\n"],
  [String.raw`C:\\new`, String.raw`C:\newX`, "C:\newX"],
  [String.raw`\\u00`, String.raw`\u00e9tat`, "état"],
];

for (const [index, [before, after, key]] of BODIES.entries()) {
  Deno.test(`the key "${after}" is read as sent after a body with "${before}"`, () => {
    const body = (name: string) => `{"first${index}":1,"${name}":{"n":1.0},"last":"x"}`;
    for (let i = 0; i < 3; i++) read(body(before));
    assertEquals(entries(body(after)), [[`first${index}`, 1], [key, { n: 1 }], ["last", "x"]]);
  });
}

Deno.test("two keys that the parser confuses are both read", () => {
  read(String.raw`{"one":1,"\\":2,"two":3}`);
  assertEquals(entries(String.raw`{"one":1,"\"":2,"\\":3}`), [["one", 1], ['"', 2], ["\\", 3]]);
});

Deno.test("escaped keys change nothing else in a body", () => {
  const body = String
    .raw`{"\ud83d\ude00":[{"\"":[],"a":"\"b\":1"}],"\ud800":12345678901234567890,"":{}}`;
  const { "😀": list, "\ud800": long, "": empty } = read(body) as Record<string, unknown>;
  assertEquals(list, [{ '"': [], a: '"b":1' }]);
  assertEquals([(long as symbol).description, empty], ["12345678901234567890", {}]);
  assertEquals(read('{"\uf8ff61":1,"\\u0061":2}'), { "\uf8ff61": 1, a: 2 });
  assertEquals(read('{"\\u0061":1,"a":2}'), 'The key "a" occurs twice in one object. Send it once');
  assertEquals(
    read(String.raw`{"x":{"\u005f_proto__":1}}`),
    "Remove the key __proto__ from the body",
  );
  assertEquals(read(String.raw`{"\"":1`), read("{"));
});
