/** Responses of other servers, and hostile ones: each ends in an error of the right kind, in time. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type ClientOptions,
  ConnectionError,
  type Context,
  createClient,
  ProblemError,
  UnexpectedResponseError,
} from "../../routes/client/client.ts";

const TENANT: Context = { kind: "tenant", tenantId: "acme" };
const HANDOFF = { status: "none" };
const REQUEST = {
  reference: "SR-01M857JJM2SCJ21CGTHC4N37D3",
  context: TENANT,
  summary: "Help",
  severity: "normal",
  createdAt: "2026-11-23T12:00:00.000Z",
  createdBy: { id: "u-1" },
  handoff: HANDOFF,
};
const SUMMARY = { desk: { label: "Desk" }, handoffModes: ["none"], supportRequest: REQUEST };
const EVENTS = { events: [{ event: "x", at: "y", reference: "z" }], nextCursor: null };

/** A client that gets `respond()` for every request. */
function clientOf(
  respond: () => Response | Promise<Response>,
  options: Partial<ClientOptions> = {},
) {
  let attempts = 0;
  const client = createClient({
    url: "https://deskhand.example",
    getToken: () => "t",
    retryDelayMs: 0,
    fetch: async () => {
      attempts++;
      return await respond();
    },
    ...options,
  });
  return { client, attempts: () => attempts };
}

/** Returns every object that lacks one of the fields, at any depth, or has it with another type. */
function* misshapen(value: unknown): Generator<unknown> {
  yield* [null, 7, "text", true, [], {}].filter((other) =>
    JSON.stringify(other) !== JSON.stringify(value) &&
    !(Array.isArray(value) && Array.isArray(other))
  );
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const [name, field] of Object.entries(value)) {
    for (const other of misshapen(field)) yield { ...value, [name]: other };
    const { [name]: _, ...rest } = value as Record<string, unknown>;
    yield rest;
  }
}

/** What a program may read from a result without a check, because its type promises it. */
const READERS: Record<string, (result: never) => unknown> = {
  submit: ({ reference, context, createdBy, handoff }: typeof REQUEST) => [
    reference.length,
    context.kind,
    createdBy.id,
    handoff.status.length,
    handoff.status === "created" &&
    (handoff as never as { ticket: { url: string } }).ticket.url.length,
  ],
  latest: ({ desk, handoffModes, supportRequest }: typeof SUMMARY) => [
    desk?.label.length,
    handoffModes.length,
    supportRequest?.handoff.status.length,
  ],
  auditEvents: ({ events }: typeof EVENTS) => events.map(({ event }) => event.length),
};

for (
  const [method, what, valid] of [
    ["submit", "request", REQUEST],
    ["submit", "created handoff", {
      ...REQUEST,
      handoff: { status: "created", ticket: { reference: "1", url: "u" } },
    }],
    ["latest", "summary", SUMMARY],
    ["auditEvents", "page of events", EVENTS],
  ] as const
) {
  Deno.test(`${method} returns no ${what} of another shape`, async () => {
    let rejected = 0;
    for (const value of [valid, ...misshapen(valid)]) {
      const { client } = clientOf(() => Response.json(value), { maxAttempts: 1 });
      const call = (): Promise<unknown> => {
        if (method === "submit") return client.submit(TENANT, { summary: "Help" });
        return method === "latest" ? client.latest(TENANT) : client.auditEvents("acme");
      };
      try {
        READERS[method]!(await call() as never);
      } catch (error) {
        assert(error instanceof UnexpectedResponseError, `${JSON.stringify(value)}: ${error}`);
        assert(value !== valid);
        rejected++;
      }
    }
    assert(rejected >= 8, `${rejected}`);
  });
}

const PROBLEMS: unknown[] = [
  { type: { toString: 1 } },
  { type: ["/problems/validation"] },
  { type: 7 },
  { type: "/problems/" },
  { type: "about:blank" },
  { type: "/problems/validation/../.." },
  { errors: [{ status: "422", title: "JSON:API" }] },
];
Deno.test("an error that is not a problem of the service is reported as another server's", async () => {
  for (const body of PROBLEMS) {
    const { client } = clientOf(() => Response.json(body, { status: 422 }));
    const error = await assertRejects(() => client.latest(TENANT), UnexpectedResponseError);
    assertEquals(error.status, 422, JSON.stringify(body));
  }
});

Deno.test("a problem has every field that its type promises, whatever was sent", async () => {
  for (const other of [undefined, null, 7, [], {}, "__proto__"]) {
    const body = {
      type: "https://a.example/problems/validation",
      title: other,
      status: other,
      detail: other,
      requestId: other,
      errors: [null, 7, {}, { pointer: 1 }, { pointer: "#/a", detail: "b", more: 1 }],
    };
    const { client, attempts } = clientOf(() => Response.json(body, { status: 422 }));
    const error = await assertRejects(() => client.latest(TENANT), ProblemError);
    assertEquals([error.slug, error.status, attempts()], ["validation", 422, 1]);
    const { title, detail, requestId, status, errors } = error.problem;
    for (const text of [title, detail, requestId]) assertEquals(typeof text, "string");
    assertEquals([status, errors?.map(({ pointer }) => pointer)], [422, ["#/a"]]);
  }
});

Deno.test("a redirect is one error that says to correct the URL, and is not followed", async () => {
  const paths: string[] = [];
  let followed = 0;
  await using other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ followed: ++followed }),
  );
  const elsewhere = `http://localhost:${other.addr.port}/login`;
  let status = 0;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      paths.push(new URL(request.url).pathname);
      return new Response(null, { status, headers: { "Location": elsewhere } });
    },
  );
  for (status of [301, 302, 303, 307, 308]) {
    paths.length = 0;
    const url = `http://127.0.0.1:${server.addr.port}`;
    const client = createClient({ url, getToken: () => "t", retryDelayMs: 0 });
    const error = await assertRejects(() => client.latest(TENANT), UnexpectedResponseError);
    assertEquals(error.status, status);
    assertMatch(error.message, /redirects to another one\. Set `url` to the one/);
    await assertRejects(() => client.submit(TENANT, { summary: "Help" }), UnexpectedResponseError);
    const path = "/v1/tenants/acme/support-requests";
    assertEquals([paths, followed], [[`${path}/latest`, path], 0]);
  }
});

Deno.test("a response without end is not read beyond 4 MiB, and is cancelled", async () => {
  let sent = 0;
  let isCancelled = false;
  const chunk = new Uint8Array(64 * 1024).fill(32);
  const endless = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent += chunk.length;
          controller.enqueue(chunk);
        },
        cancel() {
          isCancelled = true;
        },
      }),
    );
  const { client, attempts } = clientOf(endless);
  await assertRejects(() => client.latest(TENANT), UnexpectedResponseError);
  assertEquals([isCancelled, attempts()], [true, 1]);
  assert(sent < 5 * 1024 * 1024, `${sent} bytes`);
});

for (
  const [what, respond] of [
    ["never responds", () => new Promise<Response>(() => {})],
    ["never ends its body", () => new Response(new ReadableStream())],
    ["never ends text()", () => ({
      ok: true,
      status: 200,
      headers: new Headers(),
      text: () => new Promise<string>(() => {}),
    } as Response)],
  ] as const
) {
  Deno.test(`the timeout and an abort end a fetch that ignores them and ${what}`, async () => {
    const { client } = clientOf(respond, { timeoutMs: 20, maxAttempts: 1 });
    await assertRejects(() => client.latest(TENANT), ConnectionError, "within 20 ms");
    const controller = new AbortController();
    const call = clientOf(respond).client.latest(TENANT, { signal: controller.signal });
    controller.abort(new Error("closed"));
    await assertRejects(() => call, Error, "closed");
  });
}

Deno.test("the client works with a fetch whose responses have no streams", async () => {
  const { client } = clientOf(() => ({
    ok: true,
    status: 200,
    headers: new Headers(),
    text: () => Promise.resolve(JSON.stringify(SUMMARY)),
  } as Response));
  assertEquals((await client.latest(TENANT)).supportRequest?.reference, REQUEST.reference);
});

Deno.test("only a Retry-After in seconds counts, and one over 20 seconds ends the call", async () => {
  const limited = (retryAfter: string) => () =>
    Response.json({ type: "/problems/rate-limited" }, {
      status: 429,
      headers: { "Retry-After": retryAfter },
    });
  const expectations: [string, number | null, number][] = [
    ["0", 0, 3],
    ["", null, 3],
    ["NaN", null, 3],
    ["-5", null, 3],
    ["0x10", null, 3],
    ["1e9", null, 3],
    ["Wed, 21 Oct 2099 07:28:00 GMT", null, 3],
    ["21", 21_000, 1],
    ["99999999999", 2 ** 31 - 1, 1],
    ["9".repeat(400), 2 ** 31 - 1, 1],
  ];
  for (const [sent, retryAfterMs, expected] of expectations) {
    const { client, attempts } = clientOf(limited(sent));
    const error = await assertRejects(() => client.latest(TENANT), ProblemError);
    assertEquals([error.retryAfterMs, attempts()], [retryAfterMs, expected], sent.slice(0, 30));
  }
});

Deno.test("an empty response, one of another type or a stale one is another server's", async () => {
  const responses: [number, () => Response][] = [
    [204, () => new Response(null, { status: 204 })],
    [205, () => new Response(null, { status: 205 })],
    [304, () => new Response(null, { status: 304 })],
    [200, () => new Response(new Uint8Array([0xff, 0xfe, 0x7b]), { status: 200 })],
    [200, () => new Response("{}{}", { headers: { "Content-Type": "application/json" } })],
    [200, () => new Response(`${"[".repeat(200_000)}`)],
    [418, () => new Response("teapot", { status: 418 })],
  ];
  for (const [status, respond] of responses) {
    const { client, attempts } = clientOf(respond);
    const error = await assertRejects(() => client.latest(TENANT), UnexpectedResponseError);
    assertEquals([error.status, attempts()], [status, 1]);
  }
});
