import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type ClientOptions,
  ConnectionError,
  type Context,
  createClient,
  DeskhandError,
  ProblemError,
  UnexpectedResponseError,
} from "../../routes/client/client.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";

const RUN: Context = {
  kind: "run",
  tenantId: "acme",
  runId: "scheduled__2026-11-25T00:00:00+00:00",
};
const HELP = { summary: "The nightly import stops", handoff: { mode: "create" } } as const;

/** A client of a real service with a fake desk. `intercept` sees each request before the service. */
async function openClient(
  { intercept, env, ...options }: Partial<ClientOptions> & {
    intercept?: (attempt: number) => Response | Error | undefined;
    env?: Record<string, string>;
  } = {},
) {
  const desk = startFakeDesk();
  const service = await openService({
    env: {
      ...deskEnv(desk),
      ...env,
    },
  });
  const keys: (string | null)[] = [];
  let tokens = 0;
  const client = createClient({
    url: "https://deskhand.example/",
    getToken: () => {
      tokens++;
      return mintToken(AUTH_SECRET);
    },
    retryDelayMs: 1,
    fetch: async (input, init) => {
      keys.push(new Headers(init?.headers).get("Idempotency-Key"));
      const response = await service.app.request(input, init);
      const instead = intercept?.(keys.length);
      if (instead === undefined) return response;
      await response.body?.cancel();
      if (instead instanceof Error) throw instead;
      return instead;
    },
    ...options,
  });
  return {
    client,
    desk,
    keys,
    tokens: () => tokens,
    async [Symbol.asyncDispose]() {
      await desk.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

Deno.test("the client submits a request, reads it, resumes it and pages through its audit", async () => {
  await using stage = await openClient();
  const { client } = stage;
  const request = await client.submit(RUN, HELP);
  assertEquals(request.handoff.status, "created");
  assertEquals((await client.latest(RUN)).supportRequest, request);
  assertEquals(await client.resume(RUN), request);
  const first = await client.auditEvents("acme", { limit: 1 });
  assertEquals(first.events.map(({ event }) => event), ["handoff.created"]);
  const second = await client.auditEvents("acme", { cursor: first.nextCursor! });
  assertEquals(second.events.map(({ event }) => event), ["request.submitted"]);
  assertEquals(second.nextCursor, null);
});

for (
  const [what, failure] of [
    ["a lost response", () => new TypeError("error sending request")],
    ["a proxy's 502", () => new Response("<h1>Bad gateway</h1>", { status: 502 })],
    ["a response without a body", () => new Response(null, { status: 504 })],
    [
      "a 503 of the service",
      () => Response.json({ type: "/problems/store-unavailable", status: 503 }, { status: 503 }),
    ],
  ] as const
) {
  Deno.test(`the client retries after ${what} with the same key and creates one ticket`, async () => {
    await using stage = await openClient({
      intercept: (attempt) => attempt < 3 ? failure() : undefined,
    });
    const { client, desk, keys, tokens } = stage;
    const { handoff } = await client.submit(RUN, HELP);
    assertEquals(handoff.status, "created");
    assertEquals(desk.tickets.length, 1);
    assertEquals([keys.length, new Set(keys).size, tokens()], [3, 1, 3]);
    assertMatch(keys[0]!, /^[0-9a-f]{32}$/);
  });
}

Deno.test("after a 401 the client gets a new token and retries once, with the same key", async () => {
  const stored: string[] = [];
  for (const expired of [1, 2]) {
    let tokens = 0;
    const getToken = () => mintToken(AUTH_SECRET, { lifetime: ++tokens <= expired ? -60 : 60 });
    await using stage = await openClient({ getToken });
    const { client, keys } = stage;
    const call = client.submit(RUN, HELP);
    if (expired === 1) stored.push((await call).handoff.status);
    else assertEquals((await assertRejects(() => call, ProblemError)).slug, "unauthenticated");
    assertEquals([keys.length, new Set(keys).size, tokens], [2, 1, 2]);
  }
  assertEquals(stored, ["created"]);
});

Deno.test("the client gives up after three attempts and reports the submission's key", async () => {
  await using stage = await openClient({ intercept: () => new TypeError("offline") });
  const { client, keys, desk } = stage;
  const error = await assertRejects(() => client.submit(RUN, HELP), ConnectionError);
  assertEquals(error.idempotencyKey, keys[0]);
  assertEquals(keys.length, 3);
  const again = { idempotencyKey: error.idempotencyKey! };
  await assertRejects(() => client.submit(RUN, HELP, again), ConnectionError);
  assertEquals(desk.tickets.length, 1);
});

const problemResponse = (slug: string, status: number, stored?: unknown) => () =>
  Response.json({ type: `/problems/${slug}`, status, stored }, { status });
const lost = () => new TypeError("error sending request");
const rejected = problemResponse("rate-limited", 429, "no");
const uncertain = problemResponse("store-unavailable", 503, "unknown");
const inProgress = problemResponse("idempotency-in-progress", 409, "yes");

for (
  const [what, stored, responses] of [
    ["only rejections", "no", [rejected]],
    ["a lost response, then a rejection", "unknown", [lost, rejected]],
    ["a rejection, then a lost response", "unknown", [rejected, lost]],
    ["an uncertain failure, then a rejection", "unknown", [uncertain, rejected]],
    ["a submission in progress", "yes", [inProgress]],
    ["a submission in progress, then rejections", "yes", [uncertain, inProgress, rejected]],
    ["a proxy's error", "unknown", [() => new Response("", { status: 502 })]],
    ["a redirect", "unknown", [() => new Response("", { status: 307 })]],
    ["a problem that does not say", "unknown", [problemResponse("internal", 500)]],
    ["a problem with an unknown value", "unknown", [problemResponse("internal", 500, "maybe")]],
  ] as const
) {
  Deno.test(`after ${what}, an error of submit says stored: ${stored}`, async () => {
    const intercept = (attempt: number) => responses[Math.min(attempt, responses.length) - 1]!();
    await using stage = await openClient({ intercept });
    const error = await assertRejects(() => stage.client.submit(RUN, HELP), DeskhandError);
    assertEquals(error.stored, stored);
    const read = await assertRejects(() => stage.client.latest(RUN), DeskhandError);
    assertEquals(read.stored, undefined);
  });
}

Deno.test("without a token, an error of submit says that nothing is stored", async () => {
  for (const getToken of [() => "", () => new Promise<string>(() => {})]) {
    await using stage = await openClient({ getToken, timeoutMs: 20, maxAttempts: 2 });
    const error = await assertRejects(() => stage.client.submit(RUN, HELP), DeskhandError);
    assertEquals([error.stored, stage.keys], ["no", []]);
  }
});

Deno.test("the client rejects what no retry can change, after one attempt", async () => {
  await using stage = await openClient();
  const { client, keys } = stage;
  const invalid = await assertRejects(() => client.submit(RUN, { summary: "" }), ProblemError);
  assertEquals([invalid.slug, invalid.status], ["validation", 422]);
  assertEquals(invalid.problem.errors?.map(({ pointer }) => pointer), ["#/summary"]);
  const foreign: Context = { kind: "tenant", tenantId: "other" };
  const hidden = await assertRejects(() => client.latest(foreign), ProblemError);
  assertEquals(hidden.slug, "not-found");
  assertEquals(keys.length, 2);
});

Deno.test("the client does not wait for a Retry-After of more than 20 seconds", async () => {
  await using stage = await openClient({ env: { RATE_LIMIT_PER_MINUTE: "1" } });
  const { client, keys } = stage;
  await client.submit(RUN, HELP);
  const body = { type: "https://a.example/problems/rate-limited", title: "Too many", status: 429 };
  const headers = { "Retry-After": "21" };
  const limited = createClient({
    url: "https://deskhand.example",
    getToken: () => "t",
    fetch: () => Promise.resolve(Response.json(body, { status: 429, headers })),
  });
  const error = await assertRejects(() => limited.latest(RUN), ProblemError);
  assertEquals([error.slug, error.retryAfterMs], ["rate-limited", 21_000]);
  assertEquals(keys.length, 1);
});

const FOREIGN: [string, string][] = [
  ["null", "null"],
  ["an array", "[]"],
  ["a string", '"ok"'],
  ["an object without our fields", "{}"],
  ["a prototype name", '{"__proto__":{"reference":"SR-1"}}'],
  ["HTML", "<!doctype html>"],
  ["nothing", ""],
];
for (const [what, text] of FOREIGN) {
  for (const status of [200, 404]) {
    Deno.test(`the client says that ${what} with status ${status} is not Deskhand's`, async () => {
      const client = createClient({
        url: "https://deskhand.example",
        getToken: () => "t",
        fetch: () => Promise.resolve(new Response(text, { status })),
      });
      for (const call of [() => client.submit(RUN, HELP), () => client.latest(RUN)]) {
        const error = await assertRejects(call, UnexpectedResponseError);
        assertEquals(error.status, status);
      }
    });
  }
}

/** A server on loopback that accepts requests and never responds, or never ends its response. */
function startSilentServer(head?: string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const ended = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      resolve();
      if (head !== undefined) {
        await connection.write(new TextEncoder().encode(head)).catch(() => {});
      }
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    connected,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) connection.close();
      await ended;
    },
  };
}

for (
  const [what, head] of [
    ["never responds", undefined],
    ["never ends its response", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"],
  ] as const
) {
  Deno.test(`the client stops waiting for a service that ${what}`, async () => {
    await using server = startSilentServer(head);
    const { url } = server;
    const options = { url, getToken: () => "t", timeoutMs: 50, maxAttempts: 1 };
    const error = await assertRejects(
      () => createClient(options).submit(RUN, HELP),
      ConnectionError,
    );
    assertMatch(error.message, /did not respond within 50 ms/);
  });

  Deno.test(`an abort ends the call to a service that ${what}`, async () => {
    await using server = startSilentServer(head);
    const controller = new AbortController();
    const client = createClient({ url: server.url, getToken: () => "t" });
    const call = client.submit(RUN, HELP, { signal: controller.signal });
    await server.connected;
    controller.abort(new Error("closed"));
    await assertRejects(() => call, Error, "closed");
  });
}

Deno.test("an abort while the token is fetched ends the call", async () => {
  await using server = startSilentServer();
  const controller = new AbortController();
  const getToken = () => {
    controller.abort(new Error("closed"));
    return "t";
  };
  const client = createClient({ url: server.url, getToken });
  await assertRejects(() => client.latest(RUN, { signal: controller.signal }), Error, "closed");
});

Deno.test("an abort or the timeout ends a call whose token never comes", async () => {
  const getToken = () => new Promise<string>(() => {});
  await using stage = await openClient({ getToken, timeoutMs: 50, maxAttempts: 1 });
  const error = await assertRejects(
    () => stage.client.submit(RUN, HELP, { idempotencyKey: "k-1" }),
    ConnectionError,
    "getToken returned no token within 50 ms",
  );
  assertEquals(error.idempotencyKey, "k-1");
  await using patient = await openClient({ getToken });
  const controller = new AbortController();
  const call = patient.client.latest(RUN, { signal: controller.signal });
  controller.abort(new Error("closed"));
  await assertRejects(() => call, Error, "closed");
  assertEquals([stage.keys, patient.keys], [[], []]);
});

Deno.test("an ID that would change the path is never sent to another context", async () => {
  await using stage = await openClient();
  const { client } = stage;
  for (const id of ["..", ".", ""]) {
    const contexts: Context[] = [
      { kind: "tenant", tenantId: id },
      { kind: "run", tenantId: id, runId: "r-1" },
      { kind: "run", tenantId: "acme", runId: id },
    ];
    for (const context of contexts) {
      await assertRejects(() => client.submit(context, HELP), TypeError, "must not be");
      await assertRejects(() => client.latest(context), TypeError, "must not be");
      await assertRejects(() => client.resume(context), TypeError, "must not be");
    }
    await assertRejects(() => client.auditEvents(id), TypeError, "tenantId must not be");
  }
  assertEquals(stage.keys, []);
  for (const id of ["../x", "a/b", "%2e%2e", "a?b", "a#b", "..;", "a\\..\\b"]) {
    const run: Context = { kind: "run", tenantId: "acme", runId: id };
    const error = await assertRejects(() => client.latest(run), ProblemError);
    assertEquals(error.slug, "validation", id);
  }
});

Deno.test("an abort ends the wait before the next attempt", async () => {
  const controller = new AbortController();
  const client = createClient({
    url: "https://deskhand.example",
    getToken: () => "t",
    retryDelayMs: 60_000,
    fetch: () => {
      // After the client has begun to wait.
      setTimeout(() => controller.abort(new Error("closed")));
      return Promise.reject(new TypeError("offline"));
    },
  });
  const call = client.latest(RUN, { signal: controller.signal });
  await assertRejects(() => call, Error, "closed");
});

Deno.test("the client sends nothing if getToken fails", async () => {
  let isSent = false;
  const client = createClient({
    url: "https://deskhand.example",
    getToken: () => Promise.reject(new Error("signed out")),
    fetch: () => {
      isSent = true;
      return Promise.resolve(new Response());
    },
  });
  const error = await assertRejects(() => client.latest(RUN));
  assert(error instanceof Error);
  assertEquals([error.message, isSent], ["signed out", false]);
});

Deno.test("the client's types allow what the service accepts, and nothing else", () => {
  const client = createClient({ url: "https://deskhand.example", getToken: () => "t" });
  // Checked, not run.
  const _ = async () => {
    // @ts-expect-error the summary is required
    await client.submit(RUN, {});
    // @ts-expect-error there is no such severity
    await client.submit(RUN, { summary: "Help", severity: "urgent" });
    // @ts-expect-error a link needs a ticket
    await client.submit(RUN, { summary: "Help", handoff: { mode: "link" } });
    // @ts-expect-error a run needs its id
    await client.latest({ kind: "run", tenantId: "acme" });
    const { handoff } = await client.submit(RUN, { summary: "Help" });
    // @ts-expect-error only a created or linked handoff has a ticket
    handoff.ticket;
    if (handoff.status === "created") handoff.ticket.url satisfies string;
  };
});
