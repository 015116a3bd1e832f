import { assertEquals } from "@std/assert";
import { deskAddress, linkedTicket } from "../../desk/link.ts";

const ADDRESS = "https://desk.example/rt";
const FORTY_TWO = { reference: "42", url: `${ADDRESS}/Ticket/Display.html?id=42` };

for (
  const text of [
    "42",
    `${ADDRESS}/Ticket/Display.html?id=42`,
    `${ADDRESS}/Ticket/Display.html?id=42#txn-1017`,
    `${ADDRESS}/Ticket/Display.html?ForceShowHistory=1&id=42&id=42`,
    `${ADDRESS}/Ticket/Display.html?id=42;ForceShowHistory=1`,
    `${ADDRESS}/Ticket/History.html?id=42`,
    `${ADDRESS}/Ticket/ModifyAll.html?id=42`,
    `${ADDRESS}/Ticket/Update.html?Action=Comment&id=42`,
    `${ADDRESS}/m/ticket/show?id=42`,
    `${ADDRESS}/SelfService/Display.html?id=42`,
    `${ADDRESS}/x/../Ticket/Display.html?id=%34%32`,
    "HTTPS://DESK.example:443/rt/Ticket/Display.html?id=42",
  ]
) {
  Deno.test(`linkedTicket takes ${text}`, () => {
    assertEquals(linkedTicket(ADDRESS, text), FORTY_TWO);
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
    " 42",
    "42\n",
    "٤٢",
    "#42",
    "1".repeat(16),
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
    `${ADDRESS}/../Ticket/Display.html?id=42`,
    `${ADDRESS}/%2e%2e/Ticket/Display.html?id=42`,
    `${ADDRESS}/..%2fTicket/Display.html?id=42`,
    `${ADDRESS}/Ticket/Display.html`,
    `${ADDRESS}/Ticket/Display.html?id=`,
    `${ADDRESS}/Ticket/Display.html?id=042`,
    `${ADDRESS}/Ticket/Display.html?id=42+`,
    `${ADDRESS}/Ticket/Display.html?ID=42`,
    `${ADDRESS}/Ticket/Display.html?id=42&id=43`,
    `${ADDRESS}/Ticket/Display.html?id=42&x=1;id=43`,
    `${ADDRESS}/Ticket/Display.html#id=42`,
    `${ADDRESS}/Ticket/Create.html?id=42`,
    `${ADDRESS}/Ticket/Crypt.html?id=42`,
    `${ADDRESS}/Ticket/Display.html/?id=42`,
    `${ADDRESS}/Admin/Users/Modify.html?id=42`,
    `${ADDRESS}/m/ticket/create?id=42`,
    `blob:${ADDRESS}/Ticket/Display.html?id=42`,
  ]
) {
  Deno.test(`linkedTicket refuses ${JSON.stringify(text)}`, () => {
    assertEquals(linkedTicket(ADDRESS, text), null);
  });
}

for (
  const [url, address] of [
    ["https://desk.example", "https://desk.example"],
    ["https://desk.example/", "https://desk.example"],
    ["https://desk.example/rt//", "https://desk.example/rt"],
    ["https://user:secret@desk.example/rt?x=1#y", "https://desk.example/rt"],
    [new URL("http://127.0.0.1:8080/"), "http://127.0.0.1:8080"],
  ]
) {
  Deno.test(`deskAddress of ${url} has no last slash and no secret`, () => {
    assertEquals(deskAddress(url), address);
  });
}
