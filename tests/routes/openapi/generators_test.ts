/** What code generators need from the document. `deno task test:clients` runs four real ones. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { CURSOR } from "../../../routes/v1/audit_events.ts";
import { VERSION } from "../../../config/version.ts";
import { openApiDocument } from "../../../routes/openapi/document.ts";
import { OPERATIONS } from "../../support/response_validator.ts";
import { openService } from "../../support/service.ts";

const DOCUMENT = openApiDocument(VERSION);

type Json = Record<string, unknown>;

/** Yields every object in the document, with its location. */
function* objects(part: unknown, at = "#"): Generator<[at: string, part: Json]> {
  if (typeof part !== "object" || part === null) return;
  if (!Array.isArray(part)) yield [at, part as Json];
  for (const [key, value] of Object.entries(part)) yield* objects(value, `${at}/${key}`);
}

const SCHEMAS = [...objects({ paths: DOCUMENT.paths, ...DOCUMENT.components })]
  .filter(([at]) => !/\/examples?\b/.test(at));

Deno.test("every form of a union has a name, and a discriminator that maps to it", () => {
  const unions = SCHEMAS.filter(([, { oneOf }]) => Array.isArray(oneOf));
  assertEquals(unions.length, 3);
  for (const [at, { oneOf, discriminator }] of unions) {
    const { propertyName, mapping } = discriminator as { propertyName: string; mapping: Json };
    const forms = (oneOf as { $ref?: string }[]).map(({ $ref }) => $ref);
    assertEquals(Object.values(mapping), forms, at);
    for (const [value, ref] of Object.entries(mapping)) {
      const name = String(ref).replace("#/components/schemas/", "");
      const form = DOCUMENT.components.schemas[name] as {
        required: string[];
        properties: Record<string, unknown>;
      };
      assertEquals(form.properties[propertyName], { type: "string", const: value }, name);
      assert(form.required.includes(propertyName), name);
    }
  }
});

Deno.test("no schema has an object as default, because generators drop such operations", () => {
  for (const [at, schema] of SCHEMAS) {
    assert(typeof schema.default !== "object", `${at} has ${JSON.stringify(schema.default)}`);
  }
});

Deno.test("every operation ID is a good name for a function", () => {
  const ids = OPERATIONS.map((operation) => (operation as unknown as Json).operationId);
  assertEquals(new Set(ids).size, OPERATIONS.length);
  for (const id of ids) assertMatch(String(id), /^[a-z][A-Za-z]+$/);
});

Deno.test("the cursor's pattern matches every cursor that is returned", async () => {
  await using service = await openService();
  const path = "/v1/tenants/acme/support-requests";
  for (let i = 0; i < 5; i++) {
    await (await service.call(path, { json: { summary: "Help" } })).body?.cancel();
  }
  const audit = "/v1/tenants/acme/audit-events?limit=1";
  let seen = 0;
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: { nextCursor: string | null } =
      await (await service.call(audit + (cursor && `&cursor=${cursor}`))).json();
    cursor = page.nextCursor;
    if (cursor === null) break;
    assertMatch(cursor, CURSOR);
    seen++;
  }
  assertEquals(seen, 4);
});

Deno.test("a cursor that does not match the pattern is 422, never 5xx", async () => {
  await using service = await openService();
  for (const cursor of ["", "a b", "WzE", "W", "WzE=", "é", "a".repeat(201), "a".repeat(9000)]) {
    const query = new URLSearchParams({ cursor });
    const response = await service.call(`/v1/tenants/acme/audit-events?${query}`);
    assertEquals(response.status, 422, cursor);
    const { errors } = await response.json();
    assertEquals(errors, [
      { pointer: "#/cursor", detail: "must be a nextCursor returned by this endpoint" },
    ]);
  }
  for (const cursor of ["", "a b", "WzE=", "a".repeat(201)]) assertNotMatch(cursor, CURSOR);
});
