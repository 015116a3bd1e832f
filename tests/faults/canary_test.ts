import { assertEquals } from "@std/assert";
import { SignJWT } from "jose";
import { requestKey } from "../../kv/keys.ts";
import { run } from "../support/constants.ts";
import { dump, temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { scenes, startCanaryDesk } from "./canary_desk.ts";

/** Where data can appear. `file` is the KV file byte by byte, beside what KV reads from it. */
const SURFACES = ["log", "response", "kv", "audit", "file", "desk"] as const;

/** Where each word must be found. A word that is not listed must be found nowhere. */
const FOUND: Record<string, string> = {
  // The submission.
  "summary": "response kv file desk",
  "description": "kv file desk",
  "contact name": "kv file desk",
  "contact email": "kv file desk",
  "diagnostics key": "kv file desk",
  "diagnostics value": "kv file desk",
  // The actor and the context.
  "sub": "response kv audit file desk",
  "name": "response kv audit file desk",
  "tenant": "log response kv audit file desk",
  "run": "response kv audit file desk",
  // The rest of the HTTP request.
  "Idempotency-Key": "kv file",
  "X-Request-Id": "log response",
  "allowed origin": "log response",
  "foreign tenant": "log",
  // A problem names the place of the error.
  "unknown field: name": "response",
  "diagnostics key of a list": "response",
  // The configuration.
  "desk label": "response kv audit file",
  "desk path": "log response kv audit file desk",
  "desk queue": "log desk",
  "desk reference field": "desk",
  "SUPPORT_DESK_TOKEN": "desk",
  // The one value that is taken from the desk.
  "ticket created": "log response kv audit file",
  "ticket found": "log response kv audit file",
  "ticket linked": "response kv audit file",
  // A record that the service did not write.
  "broken record": "kv file",
  "broken record: value": "kv file",
};

/** Every reason of a failed call to the desk. */
const DESK_REASONS = [
  "desk_connection_lost",
  "desk_error",
  "desk_rate_limited",
  "desk_refused_credentials",
  "desk_rejected",
  "desk_timeout",
  "desk_unreachable",
  "desk_unreadable",
];

/** The planted words, by name. The same name is the same word. */
class Canaries {
  readonly words = new Map<string, string>();

  plant = (name: string): string => {
    const random = crypto.getRandomValues(new Uint32Array(3));
    const word = name.startsWith("ticket ")
      ? `4${String(random[0]).padStart(10, "0")}`
      : `canary${[...random].map((part) => part.toString(36).padStart(7, "0")).join("")}`;
    return this.words.getOrInsert(name, word);
  };

  /** Where each word was found, as in the table above. */
  find(surfaces: Record<typeof SURFACES[number], string>): Record<string, string> {
    const texts = SURFACES.map((surface) => [surface, surfaces[surface].toLowerCase()] as const);
    return Object.fromEntries(
      [...this.words].map(([name, word]) => [
        name,
        texts.filter(([, text]) => text.includes(word.toLowerCase())).map(([surface]) => surface)
          .join(" "),
      ]),
    );
  }
}

interface Call {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
}

/** Sends a request as it is, and returns the raw response: status, headers, body. */
async function exchange(address: string, { method = "GET", path, headers, body = "" }: Call) {
  const { hostname, port } = new URL(address);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const lines = { Host: "service", Connection: "close", "Content-Length": bytes.length };
  const head = Object.entries({ ...lines, ...headers }).map(([name, value]) => `${name}: ${value}`);
  const request = new Blob([`${method} ${path} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`, bytes]);
  for await (const chunk of request.stream()) {
    for (let sent = 0; sent < chunk.length;) sent += await socket.write(chunk.subarray(sent));
  }
  return await new Response(socket.readable).text();
}

/** A client with a word planted in everything that a client can choose. */
class Client {
  /** Every raw response. */
  responses = "";
  audit = "";

  constructor(
    readonly address: string,
    readonly path: string,
    readonly token: string,
    readonly plant: Canaries["plant"],
  ) {}

  /** Resolves with the status. */
  async call(call: Call): Promise<string> {
    const { plant } = this;
    const response = await exchange(this.address, {
      ...call,
      headers: {
        "Authorization": `Bearer ${this.token}`,
        "Content-Type": "application/json",
        "Cookie": `session=${plant("cookie")}`,
        "Referer": `https://app.example/${plant("Referer")}`,
        "User-Agent": plant("User-Agent"),
        "X-Forwarded-For": plant("X-Forwarded-For"),
        [`X-${plant("header name")}`]: plant("header"),
        ...call.headers,
      },
    });
    const status = response.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
    if (call.path.includes("audit-events") && status === "200") this.audit += response;
    else this.responses += response;
    return status;
  }

  submit(fields: object, headers: Record<string, string> = {}): Promise<string> {
    const { plant } = this;
    const body = JSON.stringify({ summary: `It says ${plant("summary")}`, ...fields });
    return this.call({
      method: "POST",
      path: `${this.path}?x=${plant("query")}`,
      headers,
      body,
    });
  }
}

type Rejection = [status: string, fields: object, headers?: Record<string, string>];

function rejections(plant: Canaries["plant"], forged: string, expired: string): Rejection[] {
  return [
    ["422", { [plant("unknown field: name")]: plant("unknown field: value") }],
    ["422", { severity: plant("severity") }],
    ["422", { summary: plant("long summary").repeat(20) }],
    ["422", { contact: { email: plant("bad email") } }],
    ["422", { diagnostics: { [plant("diagnostics key of a list")]: [plant("listed value")] } }],
    ["422", { handoff: { mode: plant("mode") } }],
    ["422", { handoff: { mode: "link", ticket: plant("link that is none") } }],
    ["422", { handoff: { mode: "link", ticket: `https://${plant("link elsewhere")}.example/1` } }],
    ["400", {}, { "Idempotency-Key": `${plant("bad Idempotency-Key")} with a space` }],
    ["415", {}, { "Content-Type": `text/${plant("content type")}` }],
    ["415", {}, { "Content-Encoding": plant("content encoding") }],
    ["401", {}, { "Authorization": `Basic ${plant("basic credentials")}` }],
    ["401", {}, { "Authorization": `Bearer ${plant("bearer that is no token")}` }],
    ["401", {}, { "Authorization": `Bearer ${forged}` }],
    ["401", {}, { "Authorization": `Bearer ${expired}` }],
  ];
}

function malformedBodies(plant: Canaries["plant"]): (string | Uint8Array<ArrayBuffer>)[] {
  const start = new TextEncoder().encode(`{"summary": "${plant("bad UTF-8")}`);
  return [
    `{"summary": "${plant("malformed JSON")}`,
    `{"__proto__": "${plant("key __proto__")}"}`,
    Uint8Array.of(...start, 0xff),
  ];
}

type Read = [status: string, path: string, headers?: Record<string, string>];

function reads(plant: Canaries["plant"], path: string, origin: string): Read[] {
  const tenant = `/v1/tenants/${plant("tenant")}`;
  return [
    ["200", `${path}/latest?x=${plant("query of latest")}`],
    ["200", `${path}/latest`, { "If-None-Match": plant("If-None-Match") }],
    ["200", `${path}/latest`, { "Origin": origin }],
    ["200", `${path}/latest`, { "Origin": `https://${plant("unknown origin")}.example` }],
    ["200", `${path}/latest`, { "X-Request-Id": plant("X-Request-Id") }],
    ["200", `${path}/latest`, { "X-Request-Id": `${plant("bad X-Request-Id")} <` }],
    ["500", `${tenant}/runs/broken/support-requests/latest`],
    ["422", `${tenant}/runs/~${plant("bad run")}/support-requests/latest`],
    ["404", `/v1/tenants/${plant("foreign tenant")}/support-requests/latest`],
    ["404", `/${plant("unknown path")}`],
    ["200", `${tenant}/audit-events?limit=100`],
    ["422", `${tenant}/audit-events?cursor=${plant("cursor")}`],
    ["422", `${tenant}/audit-events?limit=${plant("limit")}`],
    ["200", `/readyz?x=${plant("query of readyz")}`],
  ];
}

Deno.test("input, configuration and desk responses appear where they may, and nowhere else", async () => {
  const canaries = new Canaries();
  const { plant } = canaries;
  await using file = await temporaryPath();
  {
    using kv = await Deno.openKv(file.path);
    // A parse error quotes the invalid part of a record.
    const contact = { [plant("broken record")]: plant("broken record: value") };
    await kv.set(requestKey(run("broken", plant("tenant")), 1), { contact });
  }
  const desk = startCanaryDesk();
  const deskUrl = `${desk.url}/${plant("desk path")}`;
  const origin = `https://${plant("allowed origin")}.example`;
  const secret = plant("AUTH_SECRET") + plant("AUTH_SECRET, the rest");
  await using service = await startService({
    kvPath: file.path,
    env: {
      AUTH_SECRET: secret,
      AUTH_ISSUER: plant("AUTH_ISSUER"),
      AUTH_AUDIENCE: plant("AUTH_AUDIENCE"),
      CORS_ORIGINS: origin,
      DENO_KV_ACCESS_TOKEN: plant("DENO_KV_ACCESS_TOKEN"),
      LOG_LEVEL: "debug",
      SUPPORT_DESK_URL: deskUrl,
      SUPPORT_DESK_TOKEN: plant("SUPPORT_DESK_TOKEN"),
      SUPPORT_DESK_QUEUE: plant("desk queue"),
      SUPPORT_DESK_LABEL: plant("desk label"),
      SUPPORT_DESK_REFERENCE_FIELD: plant("desk reference field"),
      SUPPORT_DESK_TIMEOUT_MS: "1000",
      UNRELATED: plant("another environment variable"),
    },
  });
  const path = `/v1/tenants/${plant("tenant")}/runs/${plant("run")}/support-requests`;
  const token = await mint(canaries, "token", secret);
  const client = new Client(service.url, path, token, plant);

  // Every scene, then a desk that is gone: the error of fetch quotes the URL.
  const create = {
    description: `Then\n${plant("description")}`,
    contact: { name: plant("contact name"), email: `${plant("contact email")}@example.com` },
    diagnostics: { [plant("diagnostics key")]: plant("diagnostics value") },
    handoff: { mode: "create" },
  };
  for (const [name, scene] of Object.entries(scenes(plant))) {
    desk.play(scene);
    assertEquals(await client.submit(create), "201", name);
  }
  await desk.close();
  assertEquals(await client.submit(create), "201");
  const reasons = client.responses.matchAll(/"reason":"(\w+)"/g).map(([, reason]) => reason);
  assertEquals([...new Set(reasons)].toSorted(), DESK_REASONS);

  const keyed = { "Idempotency-Key": plant("Idempotency-Key") };
  for (const [status, fields] of [["201", {}], ["201", {}], ["422", create]] as const) {
    assertEquals(await client.submit(fields, keyed), status);
  }
  const query = `id=${plant("ticket linked")}&x=${plant("query of a link")}`;
  const ticket = `${deskUrl}/Ticket/Display.html?${query}`;
  assertEquals(await client.submit({ handoff: { mode: "link", ticket } }), "201");

  const forged = await mint(canaries, "forged token", plant("another secret").padEnd(32, "x"));
  const expired = await mint(canaries, "expired token", secret, "1 hour ago");
  for (const [status, fields, headers] of rejections(plant, forged, expired)) {
    const what = JSON.stringify([fields, headers]);
    assertEquals(await client.submit(fields, headers), status, what);
  }
  for (const body of malformedBodies(plant)) {
    assertEquals(await client.call({ method: "POST", path, body }), "400");
  }
  for (const [status, path, headers] of reads(plant, client.path, origin)) {
    assertEquals(await client.call({ path, headers }), status, path);
  }
  assertEquals(await client.call({ method: plant("method").toUpperCase(), path }), "405");

  assertEquals(await service.stop(), 0);
  using kv = await Deno.openKv(file.path);
  const entries = await dump(kv);
  const stored = (isAudit: boolean) =>
    JSON.stringify(entries.filter(({ key }) => (key[0] === "audit") === isAudit));
  const found = canaries.find({
    log: service.output.text,
    response: client.responses,
    kv: stored(false),
    audit: client.audit + stored(true),
    file: new TextDecoder("latin1").decode(await Deno.readFile(file.path)),
    desk: desk.received(),
  });
  // Compares everything: a word of the table that was not planted or not found shows, too.
  const nowhere = Object.fromEntries([...canaries.words.keys()].map((name) => [name, ""]));
  assertEquals(found, { ...nowhere, ...FOUND });
});

/** Mints a token whose parts, and whose claims that are never shown, are planted words. */
async function mint(
  { plant, words }: Canaries,
  name: string,
  secret: string,
  expiration = "1 hour",
): Promise<string> {
  const token = await new SignJWT({
    name: plant("name"),
    tenants: [plant("tenant"), plant("another tenant of the token")],
    scope: `support_requests:create support_requests:read audit:read ${plant("scope")}`,
    other: plant("another claim"),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: plant("kid") })
    .setSubject(plant("sub"))
    .setJti(plant("jti"))
    .setIssuer(plant("AUTH_ISSUER"))
    .setAudience(plant("AUTH_AUDIENCE"))
    .setExpirationTime(expiration)
    .sign(new TextEncoder().encode(secret));
  const [, payload, signature] = token.split(".");
  words.set(`${name}: payload`, payload!);
  words.set(`${name}: signature`, signature!);
  return token;
}
