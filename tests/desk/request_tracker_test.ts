import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import { respondWith, startRawServer } from "../support/raw_server.ts";
import { supportRequest } from "../support/records.ts";
import { inTime, settings } from "./fixtures.ts";

Deno.test("createRequestTracker follows no redirect", async () => {
  const elsewhere = startRawServer(respondWith(201, '{"id":"42"}'));
  const hostile = startRawServer(
    respondWith(307, "", `Location: ${elsewhere.url}/REST/2.0/ticket`),
  );
  const desk = createRequestTracker({ ...settings, url: hostile.url }, fetch);
  try {
    await desk.createTicket(supportRequest(), inTime());
    await desk.findTicket(supportRequest(), inTime());
  } finally {
    await hostile.close();
    await elsewhere.close();
  }
  assertEquals(hostile.requests.length, 3);
  assertEquals(elsewhere.requests, []);
});

Deno.test("createRequestTracker calls and links below the base path of the desk", async () => {
  const hostile = startRawServer(respondWith(201, '{"id":"42"}'));
  const desk = createRequestTracker({ ...settings, url: `${hostile.url}/rt/` }, fetch);
  try {
    assertEquals(await desk.createTicket(supportRequest(), inTime()), {
      outcome: "created",
      ticket: { reference: "42", url: `${hostile.url}/rt/Ticket/Display.html?id=42` },
    });
  } finally {
    await hostile.close();
  }
  assertEquals(hostile.requests, ["POST /rt/REST/2.0/ticket HTTP/1.1"]);
});

Deno.test("the error about an invalid token does not contain it", () => {
  const error = assertThrows(
    () => createRequestTracker({ ...settings, url: "https://d.example", token: "s3c\nret" }, fetch),
    TypeError,
  );
  assertFalse(Deno.inspect(error).includes("s3c"));
});

Deno.test("createRequestTracker has the configured label", () => {
  const desk = createRequestTracker({ ...settings, url: "https://desk.example" }, fetch);
  assertEquals(desk.label, "Acme IT desk");
});

Deno.test("createRequestTracker resolves tickets at its own desk only", () => {
  const desk = createRequestTracker({ ...settings, url: "https://desk.example/rt/" }, fetch);
  const url = "https://desk.example/rt/Ticket/Display.html?id=42";
  assertEquals(desk.resolveTicket(`${url}#txn-7`), { reference: "42", url });
  assertEquals(desk.resolveTicket(url.replace("desk.", "other.")), null);
});
