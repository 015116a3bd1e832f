import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { VERSION } from "../../../config/version.ts";
import { openApiDocument } from "../../../routes/openapi/document.ts";
import { PROBLEMS, type ProblemSlug } from "../../../routes/http/problems.ts";
import { exampleProblem } from "../../../routes/openapi/problem_responses.ts";
import {
  type Media,
  mismatches,
  type Operation,
  OPERATIONS,
  resolve,
} from "../../support/response_validator.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

const DOCUMENT = openApiDocument(VERSION);

/** Routes that the document omits: the document itself, pages and scripts. */
const BESIDE =
  /^GET \/(|openapi\.json|panel\.js|panel\/\S+|docs\/?|docs\/explorer\/?|docs\/[a-z-]+\.(js|css)|problems\/\{slug\})$/;

Deno.test("the OpenAPI document is served to any origin", async () => {
  await using service = await openService();
  const response = await service.call("/openapi.json", { token: null });
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("Content-Type"), "application/json");
  assertEquals(response.headers.get("Access-Control-Allow-Origin"), "*");
  assertEquals(await response.json(), JSON.parse(JSON.stringify(DOCUMENT)));
});

Deno.test("the OpenAPI document has every route of the API, and no other", async () => {
  await using service = await openService();
  const routed = service.app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`)
    .filter((route) => !BESIDE.test(route));
  const documented = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  assertEquals(new Set(routed), new Set(documented));
});

function examples(media: Media): unknown[] {
  const named = Object.values(media.examples ?? {}).map((example) =>
    "value" in example ? example.value : resolve<{ value: unknown }>(example).value
  );
  return "example" in media ? [media.example, ...named] : named;
}

function mediaOf({ requestBody, responses }: Operation): Media[] {
  return [requestBody, ...Object.values(responses)]
    .flatMap((part) => Object.values(part?.content ?? {}));
}

for (const operation of OPERATIONS) {
  Deno.test(`the documented examples of ${operation.method} ${operation.path} are valid`, () => {
    for (const media of mediaOf(operation)) {
      const documented = examples(media);
      assert(documented.length > 0, "no example");
      for (const example of documented) assertEquals(mismatches(media.schema.$ref, example), []);
    }
  });
}

Deno.test("the documented example submissions are accepted", async () => {
  await using service = await openService({
    env: {
      // Nothing listens at this URL: the submission is stored nevertheless.
      SUPPORT_DESK_URL: "http://127.0.0.1:1",
      SUPPORT_DESK_TOKEN: "t",
      SUPPORT_DESK_QUEUE: "Support",
    },
  });
  const submissions = OPERATIONS.flatMap(({ path, requestBody }) =>
    Object.values(requestBody?.content ?? {}).flatMap(examples).map((json) => ({ path, json }))
  );
  assertEquals(submissions.length, 6);
  for (const { path, json } of submissions) {
    const response = await service.call(
      path.replace("{tenantId}", "acme").replace("{runId}", "r-1"),
      { json },
    );
    assertEquals(response.status, 201);
    await response.body?.cancel();
  }
});

Deno.test("every problem has a documented example, and its type is the URL of a page", async () => {
  await using service = await openService();
  const { Problem } = DOCUMENT.components.schemas as { Problem: { examples: unknown[] } };
  const shown = new Set(
    [...OPERATIONS.flatMap(mediaOf).flatMap(examples), ...Problem.examples]
      .map((example) => (example as { type?: string }).type).filter(Boolean),
  );
  for (const [slug, [status, title]] of Object.entries(PROBLEMS)) {
    const type = `/problems/${slug}`;
    assert(shown.has(type), type);
    const response = await service.call(type, { token: null });
    assertEquals(response.status, 200);
    assertMatch(response.headers.get("Content-Type")!, /^text\/plain/);
    assert((await response.text()).startsWith(`${status} ${title}\n`));
  }
  for (const stranger of ["nothing", "constructor", "__proto__", ""]) {
    await assertProblem(await service.call(`/problems/${stranger}`), 404, "not-found");
  }
});

Deno.test("a problem's detail does not repeat its title, which is shown beside it", () => {
  const start = (text: string) => text.split(" ").slice(0, 3).join(" ");
  for (const slug of Object.keys(PROBLEMS) as ProblemSlug[]) {
    const { title, detail } = exampleProblem(slug);
    assertNotEquals(start(detail), start(title));
    assert(!detail.toLowerCase().startsWith(title.toLowerCase()), detail);
  }
});

Deno.test("every problem and every header of the document belongs to an operation", () => {
  const responses = OPERATIONS.flatMap(({ responses }) => Object.values(responses));
  const slugs = responses.flatMap(({ content }) =>
    Object.keys(content?.["application/problem+json"]?.examples ?? {})
  );
  // Belongs to no operation: it is the response to unsupported methods.
  const everywhere = ["method-not-allowed"];
  assertEquals(new Set([...slugs, ...everywhere]), new Set(Object.keys(PROBLEMS)));
  const headers = responses.flatMap(({ headers }) => Object.keys(headers));
  assertEquals(new Set(headers), new Set(Object.keys(DOCUMENT.components.headers)));
});
