import { assertEquals, assertLess } from "@std/assert";
import { normalizeBaseUrl, parseTicketLink } from "../../desk/link.ts";

const BASE_URL = "https://desk.example/rt";
const FORTY_TWO = { reference: "42", url: `${BASE_URL}/Ticket/Display.html?id=42` };

for (
  const text of [
    "42",
    "#42",
    "# 42",
    "RT#42",
    "rt #42",
    "RT 42",
    "RT: 42",
    "Ticket 42",
    "Ticket #42",
    "RT Ticket #42:",
    "Request Tracker #42",
    "[rt.example #42]",
    "[Acme Support #42]",
    "Re: [rt.example #42] The printer is on fire",
    "AW: [rt.example #42] Fwd: [rt.example #42] Printer",
    "#42: The printer is on fire, as in #41",
    " 42",
    "42\n",
    "42.",
    "(#42)",
    '"42"',
    "\u00a0\u200b42\ufeff",
    "#\u200e42\u200f",
    "４２",
    "＃４２",
    ` <${BASE_URL}/Ticket/Display.html?id=42> `,
    `(${BASE_URL}/Ticket/Display.html?id=42).`,
    `\u2068${BASE_URL}/Ticket/Display.html?id=42\u2069`,
    `${BASE_URL}/Ticket/Display.html?id=42&results=0c5e6ae6b04da4ba4c3b9d8e7f65a1b2`,
    `${BASE_URL}/Ticket/Display.html?id=42`,
    `${BASE_URL}/Ticket/Display.html?id=42#txn-1017`,
    `${BASE_URL}/Ticket/Display.html?ForceShowHistory=1&id=42&id=42`,
    `${BASE_URL}/Ticket/Display.html?id=42;ForceShowHistory=1`,
    `${BASE_URL}/Ticket/History.html?id=42`,
    `${BASE_URL}/Ticket/ModifyAll.html?id=42`,
    `${BASE_URL}/Ticket/Update.html?Action=Comment&id=42`,
    `${BASE_URL}/m/ticket/show?id=42`,
    `${BASE_URL}/SelfService/Display.html?id=42`,
    `${BASE_URL}/x/../Ticket/Display.html?id=%34%32`,
    "HTTPS://DESK.example:443/rt/Ticket/Display.html?id=42",
  ]
) {
  Deno.test(`parseTicketLink accepts ${JSON.stringify(text)}`, () => {
    assertEquals(parseTicketLink(BASE_URL, text), FORTY_TWO);
  });
}

for (
  const text of [
    "",
    "0",
    "042",
    "-1",
    "4.2",
    "1e3",
    "#0",
    "#042",
    "RT#-42",
    "4 2",
    "42 43",
    "#42 #43",
    "42, 43",
    "+42",
    "٤٢",
    "42th",
    "Ticket",
    "SR-42",
    "INC#42",
    "the printer is on fire, see #42",
    "[rt.example #42",
    "[rt.example 42]",
    "[rt.example #042]",
    "[rt.example #42] [rt.example #43]",
    "[42]",
    "1".repeat(16),
    `#${"1".repeat(16)}`,
    `https://other.example/?q=[rt.example #42]`,
    `https://other.example/Ticket/Display.html?id=42#42`,
    `see ${BASE_URL}/Ticket/Display.html?id=42`,
    `https://desk.example/x/Ticket/Display.html?id=42`,
    "javascript:alert(42)",
    "//desk.example/rt/Ticket/Display.html?id=42",
    "/rt/Ticket/Display.html?id=42",
    "https://desk.example/Ticket/Display.html?id=42",
    "https://desk.example/rtx/Ticket/Display.html?id=42",
    "http://desk.example/rt/Ticket/Display.html?id=42",
    "https://desk.example:8443/rt/Ticket/Display.html?id=42",
    "https://desk.example.evil.example/rt/Ticket/Display.html?id=42",
    "https://evil.example/rt/Ticket/Display.html?id=42",
    "https://desk.example/xx/Ticket/Display.html?id=42",
    "https://desk.example./rt/Ticket/Display.html?id=42",
    "https://user@desk.example/rt/Ticket/Display.html?id=42",
    "https://:secret@desk.example/rt/Ticket/Display.html?id=42",
    "https://desk.example@evil.example/rt/Ticket/Display.html?id=42",
    `${BASE_URL}/../Ticket/Display.html?id=42`,
    `${BASE_URL}/%2e%2e/Ticket/Display.html?id=42`,
    `${BASE_URL}/..%2fTicket/Display.html?id=42`,
    `${BASE_URL}/Ticket/Display.html`,
    `${BASE_URL}/Ticket/Display.html?id=`,
    `${BASE_URL}/Ticket/Display.html?id=042`,
    `${BASE_URL}/Ticket/Display.html?id=42+`,
    `${BASE_URL}/Ticket/Display.html?ID=42`,
    `${BASE_URL}/Ticket/Display.html?id=42&id=43`,
    `${BASE_URL}/Ticket/Display.html?id=42&x=1;id=43`,
    `${BASE_URL}/Ticket/Display.html#id=42`,
    `${BASE_URL}/Ticket/Create.html?id=42`,
    `${BASE_URL}/Ticket/Crypt.html?id=42`,
    `${BASE_URL}/Ticket/Display.html/?id=42`,
    `${BASE_URL}/Admin/Users/Modify.html?id=42`,
    `${BASE_URL}/m/ticket/create?id=42`,
    `blob:${BASE_URL}/Ticket/Display.html?id=42`,
  ]
) {
  Deno.test(`parseTicketLink rejects ${JSON.stringify(text)}`, () => {
    assertEquals(parseTicketLink(BASE_URL, text), null);
  });
}

Deno.test("parseTicketLink accepts no page outside the base path of the desk", () => {
  const root = "https://desk.example";
  const page = (path: string) => parseTicketLink(root, `${root}${path}/Ticket/Display.html?id=42`);
  assertEquals(page("")?.reference, "42");
  for (const path of ["/x", "/rt", "/x/y", "/Ticket", "/./x", "/x/../y"]) {
    assertEquals(page(path), null, path);
  }
});

Deno.test("parseTicketLink takes linear time for any text", () => {
  const started = performance.now();
  for (const piece of [" ", "[", "[#", "rt ", "rt:", "#4", "(", "\u200b", "[x #4"]) {
    parseTicketLink(BASE_URL, piece.repeat(2_000));
  }
  assertLess(performance.now() - started, 500);
});

for (
  const [url, baseUrl] of [
    ["https://desk.example", "https://desk.example"],
    ["https://desk.example/", "https://desk.example"],
    ["https://desk.example/rt//", "https://desk.example/rt"],
    ["https://user:secret@desk.example/rt?x=1#y", "https://desk.example/rt"],
    [new URL("http://127.0.0.1:8080/"), "http://127.0.0.1:8080"],
  ] as const
) {
  Deno.test(`normalizeBaseUrl of ${url} has no trailing slash and no secret`, () => {
    assertEquals(normalizeBaseUrl(url), baseUrl);
  });
}
