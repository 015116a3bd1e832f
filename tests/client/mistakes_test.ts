/** Mistakes of a program that uses the client: each is an error that says what to correct. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  type ClientOptions,
  type Context,
  createClient,
  InvalidTokenError,
  ProblemError,
} from "../../routes/client/client.ts";

const TENANT: Context = { kind: "tenant", tenantId: "acme" };
const SUMMARY = { desk: null, handoffModes: ["none"], supportRequest: null };

/** A client whose requests are recorded and get a valid response. */
function recordingClient(options: Partial<ClientOptions> = {}) {
  const requests: Request[] = [];
  const client = createClient({
    url: "https://deskhand.example",
    getToken: () => "t",
    fetch: (input, init) => {
      requests.push(new Request(input, init));
      return Promise.resolve(Response.json(SUMMARY));
    },
    ...options,
  });
  return { client, requests };
}

const URLS: [unknown, RegExp][] = [
  ["", /^url must be the service's URL, such as https:.*, but is ""$/],
  [undefined, /but is "undefined"$/],
  [null, /but is "null"$/],
  ["support.example", /but is "support\.example"$/],
  ["localhost:8000", /but is "localhost:8000"$/],
  ["/support", /but is "\/support"$/],
  ["ftp://support.example", /^url must be/],
  ["javascript:alert(1)", /^url must be/],
  ["https://", /^url must be/],
  ["https://support example", /^url must be/],
  ["https://sup\nport.example", /^url must be/],
  ["https://support.example\r\nX-Injected: 1", /^url must be/],
  ["https://support.example:99999", /^url must be/],
  ["https://ada:secret@support.example", /^url must not contain a user name or password$/],
  ["https://support.example/?a=1", /^url must end with its path/],
  ["https://support.example/#top", /^url must end with its path/],
  [`x${"y".repeat(5_000)}`, /^.{0,300}$/],
];
for (const [url, message] of URLS) {
  Deno.test(`the client rejects the URL ${JSON.stringify(url)?.slice(0, 40)} when created`, () => {
    const error = assertThrows(() => recordingClient({ url: url as string }), TypeError);
    assertMatch(error.message, message);
    assert(!error.message.includes("secret"), "the message has no password");
  });
}

Deno.test("the client accepts a URL with a prefix, spaces around it or a slash at its end", async () => {
  const urls = [
    "https://a.example/support",
    "https://a.example/support//",
    " https://a.example/support/\n",
    new URL("https://a.example/support/"),
  ];
  for (const url of urls) {
    const { client, requests } = recordingClient({ url });
    await client.latest(TENANT);
    const expected = "https://a.example/support/v1/tenants/acme/support-requests/latest";
    assertEquals(requests[0]!.url, expected);
  }
});

Deno.test("a page may give the path of the service on its own origin", async () => {
  const location = { href: "https://a.example/shop/orders?id=1" };
  Object.defineProperty(globalThis, "location", { value: location, configurable: true });
  try {
    const { client, requests } = recordingClient({ url: "/support/" });
    await client.latest(TENANT);
    const expected = "https://a.example/support/v1/tenants/acme/support-requests/latest";
    assertEquals(requests[0]!.url, expected);
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});

const OPTIONS: [string, unknown[]][] = [
  ["getToken", [undefined, null, "t", {}]],
  ["maxAttempts", [0, -1, 1.5, NaN, Infinity, "3"]],
  ["timeoutMs", [0, -1, NaN, Infinity, 2 ** 31, "5000"]],
  ["retryDelayMs", [-1, NaN, Infinity, 2 ** 31, "300"]],
];
for (const [name, values] of OPTIONS) {
  Deno.test(`the client rejects an invalid ${name} when created, and names it`, () => {
    for (const value of values) {
      const error = assertThrows(() => recordingClient({ [name]: value }), TypeError);
      assertMatch(error.message, new RegExp(`^${name} must be `));
    }
  });
}

const TOKENS: [string, unknown, RegExp][] = [
  ["undefined", undefined, /but returned undefined$/],
  ["null", null, /but returned null$/],
  ["an object", { token: "secret" }, /but returned a value of the type object$/],
  ["empty text", "", /empty text\. Is the user signed in\?$/],
  ["a blank", " \n", /empty text/],
  ["a scheme", "Bearer secret", /Return the token alone$/],
  ["JSON", '{"token":"secret"}', /JSON\. Return the token alone/],
  ["quotes", '"secret"', /JSON\. Return the token alone/],
  ["HTML", "<!doctype html>secret", /HTML\. Check the URL of your token endpoint$/],
  ["a line break", "secret\nsecret", /characters that no token has/],
  ["a header", "secret\r\nX-Injected: 1", /characters that no token has/],
  ["a space", "secret secret", /characters that no token has/],
  ["not Latin-1", "secret…", /characters that no token has/],
  ["a letter with an accent", "sécret", /characters that no token has/],
];
for (const [what, token, message] of TOKENS) {
  Deno.test(`a token that is ${what} is one clear error, and nothing is sent`, async () => {
    let calls = 0;
    const getToken = () => {
      calls++;
      return token as string;
    };
    const { client, requests } = recordingClient({ getToken });
    const error = await assertRejects(
      () => client.submit(TENANT, { summary: "Help" }, { idempotencyKey: "k-1" }),
      InvalidTokenError,
    );
    assertMatch(error.message, message);
    assert(!error.message.includes("cret"), "the message has nothing of the token");
    assertEquals([error.idempotencyKey, calls, requests.length], ["k-1", 1, 0]);
  });
}

Deno.test("a token may end with a line break, as an endpoint or a file may", async () => {
  const { client, requests } = recordingClient({ getToken: () => "a.b-_~+/c==\r\n" });
  await client.latest(TENANT);
  assertEquals(requests[0]!.headers.get("Authorization"), "Bearer a.b-_~+/c==");
});

Deno.test("an idempotency key that no header can hold is a TypeError, and nothing is sent", async () => {
  const { client, requests } = recordingClient();
  for (const idempotencyKey of ["", "a b", "a\nb", "é", "…", "x".repeat(256), null, 7]) {
    const options = { idempotencyKey: idempotencyKey as string };
    await assertRejects(
      () => client.submit(TENANT, { summary: "Help" }, options),
      TypeError,
      "idempotencyKey must be",
    );
  }
  assertEquals(requests, []);
});

Deno.test("a context without its kind or its ids is a TypeError, and nothing is sent", async () => {
  const { client, requests } = recordingClient();
  const contexts: unknown[] = [
    undefined,
    null,
    "acme",
    {},
    // Without the check, it would be a request of the tenant.
    { tenantId: "acme", runId: "r-1" },
    { kind: "Run", tenantId: "acme", runId: "r-1" },
    { kind: "run", tenantId: "acme" },
    { kind: "run", tenantId: "acme", runId: 7 },
    { kind: "tenant" },
    { kind: "tenant", tenantId: null },
    { kind: "tenant", tenantId: "\ud800" },
  ];
  for (const context of contexts as Context[]) {
    const call = () => client.submit(context, { summary: "Help" });
    await assertRejects(call, TypeError, " must ");
    await assertRejects(() => client.latest(context), TypeError, " must ");
    await assertRejects(() => client.resume(context), TypeError, " must ");
  }
  assertEquals(requests, []);
});

Deno.test("a submission that is no object is a TypeError, and nothing is sent", async () => {
  const { client, requests } = recordingClient();
  for (const submission of [undefined, null, "Help", 7, [], () => {}]) {
    await assertRejects(
      () => client.submit(TENANT, submission as never),
      TypeError,
      "The submission must be an object",
    );
  }
  assertEquals(requests, []);
});

Deno.test("the message of a validation error names the first fields", async () => {
  const errors = ["#/a", "#/b", "#/c", "#/d"].map((pointer) => ({ pointer, detail: "is unknown" }));
  const body = { type: "/problems/validation", title: "Invalid", detail: "Correct it", errors };
  const fetch = () => Promise.resolve(Response.json(body, { status: 422 }));
  const { client } = recordingClient({ fetch });
  const error = await assertRejects(() => client.submit(TENANT, { summary: "" }), ProblemError);
  const fields = "#/a is unknown; #/b is unknown; #/c is unknown; and 1 more";
  assertEquals(error.message, `Invalid. Correct it: ${fields}`);
});

Deno.test("a signal that has aborted before the call sends nothing and gets no token", async () => {
  let tokens = 0;
  const { client, requests } = recordingClient({ getToken: () => `t${tokens++}` });
  const signal = AbortSignal.abort(new Error("closed"));
  await assertRejects(() => client.latest(TENANT, { signal }), Error, "closed");
  await assertRejects(() => client.submit(TENANT, { summary: "A" }, { signal }), Error, "closed");
  assertEquals([requests.length, tokens], [0, 0]);
});

Deno.test("each submission has a key of its own, also in a runtime without crypto", async () => {
  const keys: (string | null)[] = [];
  const { client } = recordingClient({
    fetch: (input, init) => {
      keys.push(new Request(input, init).headers.get("Idempotency-Key"));
      return Promise.resolve(new Response(null, { status: 404 }));
    },
  });
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
  try {
    for (const hasCrypto of [true, false]) {
      if (!hasCrypto) {
        Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
      }
      for (let i = 0; i < 50; i++) {
        await client.submit(TENANT, { summary: "Help" }).catch(() => {});
      }
    }
  } finally {
    Object.defineProperty(globalThis, "crypto", descriptor);
  }
  assertEquals([keys.length, new Set(keys).size], [100, 100]);
  for (const key of keys) assertMatch(key!, /^[0-9a-f]{32}$/);
});
