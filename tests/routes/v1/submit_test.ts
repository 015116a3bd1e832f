import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { RUN, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

function deskEnv({ url, token, queue }: { url: string; token: string; queue: string }) {
  return {
    SUPPORT_DESK_URL: url,
    SUPPORT_DESK_TOKEN: token,
    SUPPORT_DESK_QUEUE: queue,
    SUPPORT_DESK_LABEL: "Acme IT desk",
  };
}

/** A service with a desk that must not be called. */
const LINKING = {
  env: deskEnv({ url: "https://desk.example/rt", token: "t", queue: "Support" }),
};

Deno.test("a submission is 201 with the support request, without what only agents see", async () => {
  await using service = await openService();
  const response = await service.call(TENANT, {
    token: { sub: "u-1", name: "Ada" },
    json: {
      summary: "  The printer burns ",
      description: "private description\nof two lines",
      severity: "high",
      contact: { name: "private name", email: "private@example.com" },
      diagnostics: { "private key": "private value" },
    },
  });
  assertEquals(response.status, 201);
  assertEquals(response.headers.get("Content-Type"), "application/json");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(response.headers.get("Idempotent-Replayed"), null);
  const text = await response.text();
  assertNotMatch(text, /private/);
  const { reference, createdAt, ...others } = JSON.parse(text);
  assertMatch(reference, /^SR-[0-9A-HJKMNP-TV-Z]{26}$/);
  assertMatch(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(others, {
    context: { kind: "tenant", tenantId: "acme" },
    summary: "The printer burns",
    severity: "high",
    createdBy: { id: "u-1", name: "Ada" },
    handoff: { status: "none" },
  });
});

Deno.test("a run's request is stored in the run, with the default severity", async () => {
  await using service = await openService();
  const request = await (await service.call(RUN, { json: { summary: "Help" } })).json();
  assertEquals(request.context, { kind: "run", tenantId: "acme", runId: "r-1" });
  assertEquals(request.severity, "normal");
  assertEquals(request.createdBy, { id: "u-1" });
});

Deno.test("a request with a ticket is stored even if no desk is configured", async () => {
  await using service = await openService();
  const response = await service.call(TENANT, {
    json: { summary: "Help", handoff: { mode: "create" } },
  });
  assertEquals(response.status, 201);
  const { reference, handoff } = await response.json();
  assertEquals([handoff.status, handoff.reason, handoff.ticketMayExist], [
    "failed",
    "desk_not_configured",
    false,
  ]);
  assert(handoff.summary.includes(reference));
});

Deno.test("a submission is 201 with the ticket, or with the failure of the desk", async () => {
  const desk = startFakeDesk();
  {
    await using service = await openService({ env: deskEnv(desk) });
    const json = { summary: "Help", handoff: { mode: "create" } };
    const { handoff: created } = await (await service.call(TENANT, { json })).json();
    const url = `${desk.url}/Ticket/Display.html?id=1`;
    assertEquals([created.status, created.ticket], ["created", { reference: "1", url }]);

    desk.behave("reject");
    const response = await service.call(TENANT, { json });
    assertEquals(response.status, 201);
    const { handoff } = await response.json();
    assertEquals(Object.keys(handoff).sort(), [
      "at",
      "reason",
      "status",
      "summary",
      "ticketMayExist",
    ]);
    assertEquals([handoff.status, handoff.reason], ["failed", "desk_rejected"]);
    assertNotMatch(handoff.summary, /parse error/);
  }
  await desk.close();
});

for (const ticket of ["42", "https://desk.example/rt/Ticket/Display.html?id=42"]) {
  Deno.test(`a submission links ${ticket} without calling the desk`, async () => {
    await using service = await openService(LINKING);
    const response = await service.call(TENANT, {
      json: { summary: "Help", handoff: { mode: "link", ticket } },
    });
    const { handoff: { at, ...handoff } } = await response.json();
    assertMatch(at, /Z$/);
    assertEquals(handoff, {
      status: "linked",
      ticket: { reference: "42", url: "https://desk.example/rt/Ticket/Display.html?id=42" },
    });
  });
}

for (
  const ticket of [
    "",
    "0",
    "007",
    "-1",
    "1e3",
    "4 2",
    "1234567890123456",
    "٤٢",
    "SR-01K9ZZZZZZZZZZZZZZZZZZZZZZ",
    "javascript:alert(1)",
    "https://desk.example/Ticket/Display.html?id=42",
    "https://evil.example/rt/Ticket/Display.html?id=42",
    "https://desk.example.evil/rt/Ticket/Display.html?id=42",
    "https://desk.example@evil.example/rt/Ticket/Display.html?id=42",
    "http://desk.example/rt/Ticket/Display.html?id=42",
    "https://desk.example/rt/../Ticket/Display.html?id=42",
    "https://desk.example/rt/Search/Results.html?id=42",
    "https://desk.example/rt/Ticket/Display.html?id=42&id=43",
    "https://desk.example/rt/Ticket/Display.html",
  ]
) {
  Deno.test(`linking ${JSON.stringify(ticket)} is rejected, and nothing is stored`, async () => {
    await using service = await openService(LINKING);
    const response = await service.call(TENANT, {
      json: { summary: "Help", handoff: { mode: "link", ticket } },
    });
    const { errors } = await assertProblem(response, 422, "validation");
    assertEquals(errors, [{
      pointer: "#/handoff/ticket",
      detail: "must be a ticket number or the URL of a ticket at Acme IT desk",
    }]);
    const summary = await (await service.call(`${TENANT}/latest`)).json();
    assertEquals(summary.supportRequest, null);
    const audit = await (await service.call("/v1/tenants/acme/audit-events")).json();
    assertEquals(audit.events, []);
  });
}

Deno.test("any link is rejected if no desk is configured", async () => {
  await using service = await openService();
  const response = await service.call(TENANT, {
    json: { summary: "Help", handoff: { mode: "link", ticket: "42" } },
  });
  const { errors } = await assertProblem(response, 422, "validation");
  assertEquals(errors?.[0]?.pointer, "#/handoff/ticket");
});
