import { assert, assertEquals } from "@std/assert";
import { PROBLEMS, type ProblemSlug } from "../../../routes/http/problems.ts";
import { exampleProblem } from "../../../routes/openapi/problem_responses.ts";
import { toFailure } from "../../../routes/panel/src/api_client.ts";
import { EN } from "../../../routes/panel/src/texts/en.ts";

type SubmissionProblem = Exclude<ProblemSlug, "handoff-in-progress">;

/** Whether a submission may be stored after each problem. */
const MAY_BE_STORED: Record<SubmissionProblem, boolean> = {
  "unauthenticated": false,
  "insufficient-scope": false,
  "not-found": false,
  "method-not-allowed": false,
  "idempotency-in-progress": true,
  "body-timeout": false,
  "body-too-large": false,
  "not-json": false,
  "encoded-body": false,
  "malformed-request": false,
  "malformed-json": false,
  "invalid-idempotency-key": false,
  "validation": false,
  "idempotency-key-reused": false,
  "rate-limited": false,
  "internal": true,
  "store-unavailable": true,
  "overloaded": false,
  "keys-unavailable": false,
};

const failureOf = (status: number, body: unknown) =>
  toFailure(new Response(null, { status }), body);

for (const slug of Object.keys(MAY_BE_STORED) as SubmissionProblem[]) {
  const promise = MAY_BE_STORED[slug] ? "may be saved" : "was not saved";
  Deno.test(`after the problem ${slug}, the panel says that the request ${promise}`, () => {
    // Examples that are ones of reads, too, lack the member.
    const problem = { stored: "no", ...exampleProblem(slug) };
    const { kind, mayBeStored } = failureOf(PROBLEMS[slug][0], problem);
    assertEquals(mayBeStored, MAY_BE_STORED[slug]);
    assert(kind in EN);
  });
}

Deno.test("a store that failed before anything was stored is not called uncertain", () => {
  const problem = {
    ...exampleProblem("store-unavailable"),
    stored: "no",
  };
  assertEquals(failureOf(503, problem).mayBeStored, false);
});

Deno.test("after an error of another server, a request may be saved", () => {
  for (const body of [null, [], {}, { type: 1, detail: {} }, { type: "/", detail: ["Nothing"] }]) {
    for (const status of [200, 201, 302, 500, 502, 503, 504]) {
      assertEquals(failureOf(status, body).mayBeStored, true);
    }
  }
});
