import { assertEquals } from "@std/assert";
import { SignJWT } from "jose";
import { dump, temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { scenes, startCanaryDesk } from "./canary_desk.ts";

/** Where something can come out. `file` is the KV file byte by byte, beside what KV reads of it. */
const SURFACES = ["log", "answer", "kv", "audit", "file", "desk"] as const;

/** Where each word must be found. One that is not named here must be found nowhere. */
const FOUND: Record<string, string> = {
  // What a person writes.
  "summary": "answer kv file desk",
  "description": "kv file desk",
  "contact name": "kv file desk",
  "contact email": "kv file desk",
  "diagnostics key": "kv file desk",
  "diagnostics value": "kv file desk",
  // Who asks, and where.
  "sub": "answer kv audit file desk",
  "name": "answer kv audit file desk",
  "tenant": "log answer kv audit file desk",
  "run": "answer kv audit file desk",
  // How it is asked.
  "Idempotency-Key": "kv file",
  "X-Request-Id": "log answer",
  "allowed origin": "answer",
  "foreign tenant": "log",
  // A refusal names the place.
  "unknown field: name": "answer",
  "diagnostics key of a list": "answer",
  // What the operator has configured.
  "desk label": "answer kv audit file",
  "desk path": "answer kv audit file desk",
  "desk queue": "desk",
  "desk reference field": "desk",
  "SUPPORT_DESK_TOKEN": "desk",
  // The one thing that is taken from the desk.
  "ticket created": "log answer kv audit file",
  "ticket found": "log answer kv audit file",
  "ticket linked": "answer kv audit file",
  // What somebody else wrote into KV.
  "broken record": "kv file",
  "broken record: value": "kv file",
};

/** All that a desk can be blamed for. */
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

/** The words that were planted, by name. The same name is the same word. */
class Canaries {
  readonly words = new Map<string, string>();

  plant = (name: string): string => {
    const random = crypto.getRandomValues(new Uint32Array(3));
    const word = name.startsWith("ticket ")
      ? `4${String(random[0]).padStart(10, "0")}`
      : `canary${[...random].map((part) => part.toString(36).padStart(7, "0")).join("")}`;
    return this.words.getOrInsert(name, word);
  };

  /** What was found where, for each word as in the table above. */
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

/** Sends a request as it is written, and returns the answer byte by byte: status, headers, body. */
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

/** What the service is asked, with a word in everything that a client can choose. */
class Client {
  /** All that was answered, byte by byte. */
  answers = "";
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
    const answer = await exchange(this.address, {
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
    const status = answer.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
    if (call.path.includes("audit-events") && status === "200") this.audit += answer;
    else this.answers += answer;
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

type Refusal = [status: string, fields: object, headers?: Record<string, string>];

function refusals(plant: Canaries["plant"], forged: string, expired: string): Refusal[] {
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

Deno.test("whatever is planted in inputs, desk answers and configuration comes out where it may, only", async () => {
  const canaries = new Canaries();
  const { plant } = canaries;
  await using file = await temporaryPath();
  {
    using kv = await Deno.openKv(file.path);
    // What is wrong with it is quoted by the error that it leads to.
    const contact = { [plant("broken record")]: plant("broken record: value") };
    await kv.set(["run", `${plant("tenant")}/broken`, 1], { contact });
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

  // Everything that a desk can do, then a desk that is not there: fetch quotes the URL in its error.
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
  const reasons = client.answers.matchAll(/"reason":"(\w+)"/g).map(([, reason]) => reason);
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
  for (const [status, fields, headers] of refusals(plant, forged, expired)) {
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
    answer: client.answers,
    kv: stored(false),
    audit: client.audit + stored(true),
    file: new TextDecoder("latin1").decode(await Deno.readFile(file.path)),
    desk: desk.received(),
  });
  // Not less than everything: what is in the table and was not planted, or not found, shows too.
  const nowhere = Object.fromEntries([...canaries.words.keys()].map((name) => [name, ""]));
  assertEquals(found, { ...nowhere, ...FOUND });
});

/** A token whose every part, and every claim that is not shown, is a word to look for. */
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
