import { assertEquals } from "@std/assert";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

const AUDIT = "/v1/tenants/acme/audit-events";

async function withRequests(count: number) {
  const service = await openService();
  for (let i = 0; i < count; i++) {
    const context = i % 2 === 0 ? "" : `/runs/r-${i}`;
    const json = { summary: `Help ${i}`, description: "private", contact: { name: "private" } };
    await service.call(`/v1/tenants/acme${context}/support-requests`, { json });
  }
  return service;
}

Deno.test("audit events say who did what where, newest first, without user input", async () => {
  await using service = await withRequests(2);
  const response = await service.call(AUDIT);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  const { events, nextCursor, ...others } = await response.json();
  assertEquals(others, {});
  assertEquals(nextCursor, null);
  const { supportRequest: { reference, createdAt } } = await (
    await service.call("/v1/tenants/acme/runs/r-1/support-requests/latest")
  ).json();
  assertEquals(events.length, 2);
  assertEquals(events[0], {
    event: "request.submitted",
    at: createdAt,
    reference,
    context: { kind: "run", tenantId: "acme", runId: "r-1" },
    actor: { id: "u-1" },
    handoff: { status: "none" },
  });
});

for (const limit of [1, 2, 3, 5, 7, 8, 100]) {
  Deno.test(`pages of ${limit} list each of seven audit events once`, async () => {
    await using service = await withRequests(7);
    const all = (await (await service.call(AUDIT)).json()).events;
    const walked = [];
    let pages = 0;
    for (let cursor: string | null = ""; cursor !== null;) {
      const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await (await service.call(`${AUDIT}?limit=${limit}${query}`)).json();
      walked.push(...page.events);
      cursor = page.nextCursor;
      pages++;
    }
    assertEquals(walked, all);
    assertEquals([walked.length, pages], [7, Math.ceil(7 / limit)]);
  });
}

Deno.test("a page has 50 audit events by default", async () => {
  await using service = await withRequests(51);
  const { events, nextCursor } = await (await service.call(AUDIT)).json();
  assertEquals(events.length, 50);
  const rest = await (await service.call(`${AUDIT}?cursor=${nextCursor}`)).json();
  assertEquals([rest.events.length, rest.nextCursor], [1, null]);
});

Deno.test("no cursor reveals audit events of another tenant", async () => {
  await using service = await withRequests(3);
  const token = { tenants: ["acme", "other"] };
  await service.call("/v1/tenants/other/support-requests", { token, json: { summary: "Mine" } });
  const { nextCursor } = await (await service.call(`${AUDIT}?limit=1`)).json();
  const { events } = await (
    await service.call(`/v1/tenants/other/audit-events?cursor=${nextCursor}`, { token })
  ).json();
  assertEquals(
    events.filter((event: { context: { tenantId: string } }) => event.context.tenantId !== "other"),
    [],
  );
});

for (const limit of ["0", "101", "-1", "1.5", "1e1", "x", "", "%20", "9999999999", "٣", "1,2"]) {
  Deno.test(`the limit '${limit}' is rejected`, async () => {
    await using service = await openService();
    const response = await service.call(`${AUDIT}?limit=${limit}`);
    const { errors } = await assertProblem(response, 422, "validation");
    assertEquals(errors, [{
      pointer: "#/limit",
      detail: "must be a whole number from 1 to 100",
    }]);
  });
}

const encoded = (value: unknown) => encodeURIComponent(btoa(JSON.stringify(value)));
const reference = "SR-01K9ZZZZZZZZZZZZZZZZZZZZZZ";

for (
  const [name, cursor] of [
    ["nothing", ""],
    ["one character too long", "a"],
    ["not base64", "%%%"],
    ["base64 of something else than JSON", "abcd"],
    ["invalid UTF-8", "_____w"],
    ["null", encoded(null)],
    ["of another form", encoded([1])],
    ["a fraction", encoded([1.5, reference, "request.submitted"])],
    ["a number out of range", encoded([1e300, reference, "request.submitted"])],
    ["an unknown event", encoded([1, reference, "request.deleted"])],
    ["without a reference", encoded([1, "x".repeat(3000), "request.submitted"])],
  ] as const
) {
  Deno.test(`a cursor is rejected: ${name}`, async () => {
    await using service = await withRequests(1);
    const response = await service.call(`${AUDIT}?cursor=${cursor}`);
    const { errors } = await assertProblem(response, 422, "validation");
    assertEquals(errors, [{
      pointer: "#/cursor",
      detail: "must be a nextCursor returned by this endpoint",
    }]);
  });
}
