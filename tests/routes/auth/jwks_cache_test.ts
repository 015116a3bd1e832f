import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { type JWK } from "jose";
import { FakeClock } from "../../support/clock.ts";
import { openService } from "../../support/service.ts";
import { waitFor } from "../../support/wait_for.ts";
import { generateSigner, type Respond, startIssuer } from "../../support/issuer.ts";
import { assertProblem } from "../assert_problem.ts";
import { eventsOf, reasonOf, status } from "./jwks_service.ts";

const LATEST = "/v1/tenants/acme/support-requests/latest";
const MINUTE = 60_000;

Deno.test("a hundred requests cause one fetch, also if they are concurrent", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  await using service = await openService({ env: issuer.env });
  const token = await sign();
  const statuses = await Promise.all(Array.from({ length: 100 }, () => status(service, token)));
  assertEquals(new Set(statuses), new Set([200]));
  assertEquals(issuer.fetches(), 1);
});

Deno.test("requests that arrive during a slow fetch wait for it", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  const released = Promise.withResolvers<void>();
  issuer.respond(async () => {
    await released.promise;
    return Response.json({ keys: issuer.keys });
  });
  const clock = new FakeClock({ now: Date.now() });
  await using service = await openService({ env: issuer.env, clock });
  const first = status(service, await sign());
  await waitFor("the keys are fetched", () => issuer.fetches() === 1);
  clock.offset += 1_500;
  const second = status(service, await sign({}, "u-2"));
  // Once a third request, without a token, has its response, the second is waiting as well.
  assertEquals((await service.call(LATEST, { token: null })).status, 401);
  released.resolve();
  assertEquals([await first, await second, issuer.fetches()], [200, 200, 1]);
});

Deno.test("tokens with unknown keys or bad signatures do not cause a fetch each", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  const stranger = await generateSigner("ES256", "k-1");
  const clock = new FakeClock({ now: Date.now() });
  await using service = await openService({ env: issuer.env, clock });
  for (let i = 0; i < 50; i++) {
    assertEquals(await status(service, await sign({ kid: `unknown-${i}` })), 401);
    assertEquals(reasonOf(service), "unknown_key");
    assertEquals(await status(service, await stranger.sign({ kid: "k-1" }, `u-${i}`)), 401);
    assertEquals(reasonOf(service), "signature");
  }
  assertEquals(issuer.fetches(), 1);
  // A minute of such tokens, ten per second.
  for (let i = 0; i < 600; i++) {
    clock.offset += 100;
    await status(service, await sign({ kid: `later-${i}` }));
  }
  assertLess(issuer.fetches(), 25);
});

Deno.test("a rotated key is accepted within seconds, with a new kid, the same or none", async () => {
  for (
    const [before, after, kid] of [
      ["k-1", "k-2", "k-2"],
      ["k-1", "k-1", "k-1"],
      [undefined, undefined, undefined],
    ]
  ) {
    await using issuer = startIssuer();
    const old = await issuer.addKey(before);
    const clock = new FakeClock({ now: Date.now() });
    await using service = await openService({ env: issuer.env, clock });
    assertEquals(await status(service, await old.sign()), 200);
    issuer.keys.length = 0;
    const { sign } = await issuer.addKey(after);
    clock.offset += 3_000;
    assertEquals(await status(service, await sign({ kid })), 200);
    assertEquals(await status(service, await old.sign({ kid: before }, "u-2")), 401);
    assertEquals(issuer.fetches(), 2);
  }
});

Deno.test("a rotated key is accepted while a client keeps sending forged tokens", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  const clock = new FakeClock({ now: Date.now() });
  await using service = await openService({ env: issuer.env, clock });
  const flood = async (seconds: number) => {
    for (let i = 0; i < seconds * 10; i++) {
      clock.offset += 100;
      await status(service, await sign({ kid: `made-up-${clock.offset}` }));
    }
  };
  await flood(10);
  const rotated = await issuer.addKey("k-2");
  await flood(4);
  assertEquals(await status(service, await rotated.sign()), 200);
  assertLess(issuer.fetches(), 7);
});

Deno.test("a revoked key is accepted for at most ten minutes", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  const clock = new FakeClock({ now: Date.now() });
  await using service = await openService({ env: issuer.env, clock });
  assertEquals(await status(service, await sign()), 200);
  issuer.keys.length = 0;
  clock.offset = 10 * MINUTE;
  assertEquals(await status(service, await sign()), 401);
  assertEquals(eventsOf(service), ["key_set_unusable no_usable_key"]);
});

const hang: Respond = (signal) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(new Response())));

/** How an unavailable issuer, or its proxy, may respond, and the reason in the log. */
const FAULTS: Record<string, [respond: Respond, reason: string]> = {
  "responds with 500": [() => Response.json({ keys: [] }, { status: 500 }), "unexpected_status"],
  "responds with 404": [() => new Response("nothing here", { status: 404 }), "unexpected_status"],
  "responds with 204": [() => new Response(null, { status: 204 }), "unexpected_status"],
  "redirects": [
    () => new Response(null, { status: 302, headers: { Location: "/elsewhere" } }),
    "redirect",
  ],
  "sends HTML": [() => new Response("<h1>Down for maintenance</h1>"), "not_json"],
  "sends nothing": [() => new Response(""), "not_json"],
  "sends truncated JSON": [() => new Response(`{"keys":[`), "not_json"],
  "sends bytes that are not UTF-8": [() => new Response(new Uint8Array([123, 255])), "not_json"],
  "sends deeply nested JSON": [() => new Response("[".repeat(500_000)), "not_json"],
  "sends null": [() => Response.json(null), "not_a_key_set"],
  "sends an array": [() => Response.json([]), "not_a_key_set"],
  "sends keys that are not an array": [() => Response.json({ keys: "none" }), "not_a_key_set"],
  "sends its configuration": [() => Response.json({ jwks_uri: "/jwks" }), "not_a_key_set"],
  "sends a megabyte": [() => new Response(" ".repeat(1024 * 1024 + 1)), "too_large"],
};

for (const [name, [respond, reason]] of Object.entries(FAULTS)) {
  Deno.test(`an issuer that ${name} causes 503, logged once, until it recovers`, async () => {
    await using issuer = startIssuer();
    const { sign } = await issuer.addKey("k-1");
    issuer.respond(respond);
    const clock = new FakeClock({ now: Date.now() });
    await using service = await openService({ env: issuer.env, clock });
    const token = await sign();
    for (let i = 0; i < 20; i++) {
      const response = await service.call(LATEST, { token });
      await assertProblem(response, 503, "keys-unavailable");
      assertEquals(response.headers.get("Retry-After"), "5");
    }
    assertEquals(issuer.fetches(), 1);
    clock.offset += 1_000;
    assertEquals(await status(service, token), 503);
    assertEquals(issuer.fetches(), 2);
    assertEquals(eventsOf(service), [`key_set_unavailable ${reason}`]);

    issuer.respond();
    clock.offset += 1_000;
    assertEquals(await status(service, token), 200);
    assertEquals(eventsOf(service), [`key_set_unavailable ${reason}`, "key_set_available"]);
  });
}

Deno.test("the log has the status of a failing issuer, and no text from it", async () => {
  await using issuer = startIssuer();
  issuer.respond(() =>
    new Response("planted", { status: 502, headers: { "X-Planted": "planted" } })
  );
  await using service = await openService({ env: issuer.env });
  assertEquals(await status(service, await (await generateSigner("ES256", "planted")).sign()), 503);
  const line = service.lines.find(({ event }) => event === "key_set_unavailable");
  assertEquals([line?.level, line?.status], ["error", 502]);
  assertEquals(JSON.stringify(service.lines).includes("planted"), false);
});

Deno.test("a redirect of the issuer is not followed", async () => {
  await using other = startIssuer();
  await using issuer = startIssuer();
  const { sign } = await other.addKey("k-1");
  issuer.respond(() => Response.redirect(other.env.AUTH_JWKS_URL, 302));
  await using service = await openService({ env: issuer.env });
  assertEquals(await status(service, await sign()), 503);
  assertEquals(other.fetches(), 0);
});

const CONNECTIONS: [name: string, url: (port: number) => string, reason: string][] = [
  ["a closed port", (port) => `http://127.0.0.1:${port}/`, "connection_refused"],
  ["an unknown name", () => "https://no-such-host.invalid/", "name_not_resolved"],
  ["something that speaks no TLS", (port) => `https://127.0.0.1:${port}/`, "tls_failed"],
];

for (const [name, url, reason] of CONNECTIONS) {
  Deno.test(`an issuer behind ${name} causes 503, logged as ${reason}`, async () => {
    await using issuer = startIssuer();
    const { sign } = await issuer.addKey("k-1");
    const port = Number(new URL(issuer.env.AUTH_JWKS_URL).port);
    if (reason === "connection_refused") await issuer[Symbol.asyncDispose]();
    await using service = await openService({ env: { ...issuer.env, AUTH_JWKS_URL: url(port) } });
    assertEquals(await status(service, await sign()), 503);
    assertEquals(eventsOf(service), [`key_set_unavailable ${reason}`]);
  });
}

Deno.test("cached keys serve for an hour during an outage, and new keys get 503", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  const stranger = await generateSigner("ES256", "k-1");
  const clock = new FakeClock({ now: Date.now() });
  await using service = await openService({ env: issuer.env, clock });
  assertEquals(await status(service, await sign()), 200);
  issuer.respond(() => new Response(null, { status: 503 }));
  for (let minutes = 5; minutes < 60; minutes += 5) {
    clock.offset = minutes * MINUTE;
    for (let i = 0; i < 5; i++) {
      assertEquals(await status(service, await sign({ kid: "k-1" }, `u-${minutes}-${i}`)), 200);
      assertEquals(await status(service, await sign({ kid: `new-${i}` })), 503);
      assertEquals(await status(service, await stranger.sign()), 401);
    }
  }
  assertLess(issuer.fetches(), 25);
  assertEquals(eventsOf(service), ["key_set_unavailable unexpected_status"]);
  clock.offset = 60 * MINUTE;
  assertEquals(await status(service, await sign()), 503);
  issuer.respond();
  clock.offset += 3_000;
  assertEquals(await status(service, await sign()), 200);
});

Deno.test("a hanging issuer delays requests by two seconds, or not at all with cached keys", async () => {
  await using issuer = startIssuer();
  const { sign } = await issuer.addKey("k-1");
  const clock = new FakeClock({ now: Date.now() });
  await using service = await openService({ env: issuer.env, clock });
  assertEquals(await status(service, await sign()), 200);
  issuer.respond(hang);
  clock.offset = 11 * MINUTE;
  const callAll = async (name: string) => {
    const started = performance.now();
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, i) => sign({}, `${name}-${i}`)),
    );
    const statuses = await Promise.all(tokens.map((token) => status(service, token)));
    assertEquals(new Set(statuses), new Set([200]));
    return performance.now() - started;
  };
  // The first request waits for the refresh of the cached keys.
  assertLess(await callAll("first"), 4_000);
  clock.offset += MINUTE;
  assertLess(await callAll("then"), 1_500);
  await waitFor("the keys are fetched again", () => issuer.fetches() === 3);
  assertEquals(eventsOf(service), ["key_set_unavailable timeout"]);
});

/** Bodies that never end. */
const ENDLESS: Record<string, [respond: Respond, reason: string]> = {
  "never starts": [hang, "timeout"],
  "stalls after its first bytes": [
    (signal) => endless(signal, (i) => i === 0 ? new Uint8Array(100) : null),
    "timeout",
  ],
  "arrives in one-byte chunks without end": [
    (signal) => endless(signal, () => new Uint8Array([32])),
    // Either limit may be reached first, depending on the machine.
    "timeout|too_many_chunks|too_large",
  ],
  "never ends": [(signal) => endless(signal, () => new Uint8Array(65_536).fill(32)), "too_large"],
  "decompresses to more than a megabyte": [
    () => {
      const body = new Blob([new Uint8Array(20 * 1024 * 1024)]).stream();
      const headers = { "Content-Encoding": "gzip" };
      return new Response(body.pipeThrough(new CompressionStream("gzip")), { headers });
    },
    "too_large",
  ],
};

/** Returns null to stall. */
function endless(signal: AbortSignal, next: (i: number) => Uint8Array<ArrayBuffer> | null) {
  let i = 0;
  return new Response(
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        if (signal.aborted) return controller.close();
        const chunk = next(i++);
        if (chunk !== null) return controller.enqueue(chunk);
        await hang(signal);
        controller.close();
      },
    }),
  );
}

for (const [name, [respond, reason]] of Object.entries(ENDLESS)) {
  Deno.test(`a key set that ${name} fails within two seconds, and takes little memory`, async () => {
    await using issuer = startIssuer();
    const { sign } = await issuer.addKey("k-1");
    issuer.respond(respond);
    await using service = await openService({ env: issuer.env });
    const token = await sign();
    const before = Deno.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 20);
    const started = performance.now();
    const statuses = await Promise.all(Array.from({ length: 20 }, () => status(service, token)));
    clearInterval(watch);
    assertEquals(new Set(statuses), new Set([503]));
    assertLess(performance.now() - started, 4_000);
    assertEquals(issuer.fetches(), 1);
    assertMatch(eventsOf(service).join(), new RegExp(`^key_set_unavailable (${reason})$`));
    // The issuer runs in the same process, and its endless bodies take memory, too.
    assertLess(peak - before, 150 * 1024 * 1024);
  });
}

Deno.test("a key set of almost a megabyte, in chunks and compressed, is read", async () => {
  await using issuer = startIssuer();
  const { sign, jwk } = await issuer.addKey("k-1");
  const text = JSON.stringify({ keys: [jwk as JWK], padding: "x".repeat(1_000_000) });
  issuer.respond(() => {
    const body = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    return new Response(body, { headers: { "Content-Encoding": "gzip" } });
  });
  await using service = await openService({ env: issuer.env });
  assertEquals(await status(service, await sign()), 200);
});
