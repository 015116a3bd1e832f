import { assert, assertEquals } from "@std/assert";
import { MAX_BODY_BYTES } from "../../routes/http/json_body.ts";
import type { Problem } from "../../routes/http/problems.ts";
import { BODY_TIMEOUT_MS } from "../../routes/v1/parse_submission.ts";
import { FakeClock, toDeadline } from "../support/clock.ts";
import { ACME, AUTH_SECRET, deskEnv, run } from "../support/constants.ts";
import { type Call, openService, type ServiceOptions } from "../support/service.ts";
import { type Operation, OPERATIONS, resolve } from "../support/response_validator.ts";
import { mintToken } from "../demo/token.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { waitFor } from "../support/wait_for.ts";
import { auditKey, idempotencyKey, requestKey } from "../../kv/keys.ts";

const clock = new FakeClock();
/** A clock that gives the body of a request no time. */
const impatient = new FakeClock();
const { deadline } = impatient;
impatient.deadline = (milliseconds) =>
  milliseconds === BODY_TIMEOUT_MS ? toDeadline(AbortSignal.abort()) : deadline(milliseconds);

type Service = Awaited<ReturnType<typeof openService>>;

/** How to provoke a response: the differences from a valid call. */
interface Attempt extends Pick<Call, "token" | "body"> {
  headers?: Record<string, string>;
  runId?: string;
  query?: string;
  env?: ServiceOptions["env"];
  clock?: FakeClock;
  /** Runs before the call. */
  arrange?(service: Service, path: string): Promise<unknown>;
}

const KEY = { "Idempotency-Key": "k-1" };
const OTHER = { json: { summary: "Another one" }, headers: KEY };

/** Returns the path of a submission in the context of another path. */
const submissions = (path: string) =>
  path.replace("audit-events", "support-requests").replace(/\/latest.*/, "");

async function putRubbish({ kv }: Service): Promise<void> {
  await kv.set(requestKey(ACME, 1), {});
  await kv.set(requestKey(run("r-1"), 1), {});
  await kv.set(auditKey("acme", { ts: 1, reference: "SR-", event: "request.submitted" }), {});
  await kv.set(idempotencyKey({ tenantId: "acme", actorId: "u-1", key: "k-1" }), {});
}

/** How to provoke each documented response, by status or problem slug. */
const ATTEMPTS: Record<string, Attempt> = {
  // Only a resume needs a stored request.
  "200": { arrange: (service, path) => service.call(path, OTHER) },
  "201": {},
  "304": { headers: { "If-None-Match": "*" } },
  "unauthenticated": { token: null },
  "not-found": { token: { tenants: ["other"] } },
  "insufficient-scope": { token: { scope: "" } },
  "keys-unavailable": {
    env: {
      AUTH_SECRET: "",
      AUTH_JWKS_URL: "http://127.0.0.1:1/keys",
      AUTH_ISSUER: "https://id.example",
      AUTH_AUDIENCE: "deskhand",
    },
    token: `${btoa(`{"alg":"ES256"}`)}.e30.AA`,
  },
  "rate-limited": {
    env: { RATE_LIMIT_PER_MINUTE: "1" },
    arrange: (service, path) => service.call(path, OTHER),
  },
  "invalid-idempotency-key": { headers: { "Idempotency-Key": "two words" } },
  "not-json": { headers: { "Content-Type": "text/plain" } },
  "encoded-body": { headers: { "Content-Encoding": "gzip" } },
  "body-timeout": { clock: impatient },
  "body-too-large": { body: " ".repeat(MAX_BODY_BYTES + 1) },
  "malformed-request": { headers: { Host: "x/v1/tenants/acme?" } },
  "malformed-json": { body: "{" },
  "validation": {
    body: `{"summary":"Help","contact":{"email":"ada"}}`,
    runId: "not%20a%20run",
    query: "?limit=0",
  },
  "idempotency-key-reused": { arrange: (service, path) => service.call(path, OTHER) },
  "store-unavailable": { arrange: (service) => Promise.resolve(service.kv.close()) },
  "internal": { arrange: putRubbish },
};

async function provoke(operation: Operation, attempt: Attempt): Promise<Response> {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ env: attempt.env, clock: attempt.clock ?? clock, kv });
  const path = operation.path.replace("{tenantId}", "acme")
    .replace("{runId}", attempt.runId ?? "r-1");
  await attempt.arrange?.(service, submissions(path));
  const isPost = operation.method === "POST";
  const headers = { ...isPost && { ...KEY, "Content-Type": "application/json" } };
  const response = await service.call(path + (attempt.query ?? ""), {
    method: operation.method,
    headers: { ...headers, ...attempt.headers },
    ...isPost && { body: attempt.body ?? `{"summary":"Help"}` },
    ..."token" in attempt && { token: attempt.token },
  });
  await service.inFlight.drained();
  try {
    kv.close();
  } catch {
    // The attempt has closed it.
  }
  return response;
}

/** Repeats a submission, or resumes it, while the desk hangs. */
async function callInProgress(operation: Operation): Promise<Response> {
  const desk = startFakeDesk();
  desk.behave("hang");
  await using service = await openService({
    env: {
      ...deskEnv(desk),
    },
  });
  const called = operation.path.replace("{tenantId}", "acme").replace("{runId}", "r-1");
  const path = submissions(called);
  const submission = { json: { summary: "Help", handoff: { mode: "create" } }, headers: KEY };
  const first = service.call(path, submission);
  await waitFor(
    "the submission is stored",
    async () => (await (await service.call(`${path}/latest`)).json()).supportRequest,
  );
  const response = await service.call(called, submission);
  await desk.close();
  assertEquals((await first).status, 201);
  return response;
}

/** Calls as the server does after the request has waited too long. */
async function callOverloaded(operation: Operation): Promise<Response> {
  await using service = await openService();
  const path = operation.path.replace("{tenantId}", "acme").replace("{runId}", "r-1");
  const headers = { "Authorization": `Bearer ${await mintToken(AUTH_SECRET)}` };
  return await service.app.request(path, { method: "POST", headers }, { isOverloaded: true });
}

/** Returns the problems that an operation documents for a status. */
function problemsOf({ responses }: Operation, status: string): string[] {
  const problem = responses[status]?.content?.["application/problem+json"];
  return Object.keys(problem?.examples ?? {});
}

/** Returns a problem without the numbers in its sentence. */
const withoutNumbers = ({ detail, ...others }: Partial<Problem>) => ({
  ...others,
  detail: detail?.replaceAll(/\d+/g, "N"),
});

/** Whether the request may have been a submission: a malformed one has no path. */
const isMalformedPost = ({ method }: Operation, slug: string) =>
  method === "POST" && slug === "malformed-request";

for (const operation of OPERATIONS) {
  const statuses = Object.keys(operation.responses);
  for (const status of statuses.filter((status) => problemsOf(operation, status).length === 0)) {
    Deno.test(`${operation.method} ${operation.path} documents ${status}, and returns it`, async () => {
      const response = await provoke(operation, ATTEMPTS[status]!);
      assertEquals(String(response.status), status);
      await response.body?.cancel();
    });
  }
  const slugs = statuses.flatMap((status) => problemsOf(operation, status));
  for (const slug of slugs) {
    Deno.test(`${operation.method} ${operation.path} documents ${slug}, and returns it`, async () => {
      const response = slug.endsWith("-in-progress")
        ? await callInProgress(operation)
        : slug === "overloaded"
        ? await callOverloaded(operation)
        : await provoke(operation, ATTEMPTS[slug]!);
      const { requestId, ...problem } = await response.json();
      assertEquals(problem.type, `/problems/${slug}`);
      assert(requestId, "a problem names its request");
      assertEquals(requestId, response.headers.get("X-Request-Id"));
      const isSubmission = operation.path.endsWith("/support-requests");
      assertEquals("stored" in problem, isSubmission || isMalformedPost(operation, slug));
      if (operation.path !== "/v1/tenants/{tenantId}/support-requests") return;
      // Most details are the same for all operations. Those of one operation are compared there.
      const { value } = resolve<{ value: Problem }>({ $ref: `#/components/examples/${slug}` });
      const { requestId: _, ...example } = value;
      // Reads have the examples without `stored`, too.
      const expected: Partial<Problem> = { stored: "no", ...example };
      assertEquals(withoutNumbers(problem), withoutNumbers(expected), "the example");
    });
  }
}
