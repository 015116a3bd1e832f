import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Problem, ProblemSlug } from "../../routes/http/problems.ts";

/** Asserts that a response is a documented problem (RFC 9457), and returns its body. */
export async function readProblem(response: Response): Promise<Problem> {
  assertEquals(response.headers.get("Content-Type"), "application/problem+json");
  const body: Problem = await response.json();
  const { type, title, status, detail, requestId, stored, errors, ...others } = body;
  assertMatch(type, /^\/problems\/[a-z-]+$/);
  assert(title.length > 0 && detail.length > 0);
  assertEquals(status, response.status);
  assertEquals(requestId, response.headers.get("X-Request-Id"));
  if (stored !== undefined) assertMatch(stored, /^(no|yes|unknown)$/);
  for (const { pointer, detail, ...others } of errors ?? []) {
    assertMatch(pointer, /^#(\/[^/]*)*$/);
    assert(detail.length > 0);
    assertEquals(others, {});
  }
  assertEquals(others, {});
  return body;
}

/** Asserts that a response is the problem `slug`, and returns its body. */
export async function assertProblem(
  response: Response,
  status: number,
  slug: ProblemSlug,
): Promise<Problem> {
  const body = await readProblem(response);
  assertEquals([body.status, body.type], [status, `/problems/${slug}`], body.detail);
  return body;
}
