import { assertEquals } from "@std/assert";
import { DESK, JWKS, parse, rejectedNames, SECRET } from "./fixtures.ts";

const ACCEPTED: Record<string, string[]> = {
  PORT: ["0", "1", "65535"],
  SUPPORT_DESK_TIMEOUT_MS: ["100", "5000"],
  RATE_LIMIT_PER_MINUTE: ["0", "1", "1000000"],
  RETENTION_DAYS: ["1", "36500"],
  LOG_LEVEL: ["debug", "info", "warn", "error"],
  LOG_FORMAT: ["json", "journald"],
  AUTH_SECRET: ["x".repeat(32), "é".repeat(16)],
  CORS_ORIGINS: [
    "https://a.example",
    "https://a.example,https://b.example:8443",
    "http://localhost:3000,http://127.0.0.1:5173,http://[::1]:1,http://app.localhost",
    "capacitor://localhost, tauri://localhost",
    "https://tauri.localhost,http://tauri.localhost",
    "ionic://localhost,capacitor://app.acme.example",
    "https://xn--bcher-kva.example",
  ],
  AUTH_TENANTS_CLAIM: ["tenants", "https://acme.example/tenants", "cognito:groups", "a.b"],
  SUPPORT_DESK_LABEL: ["D".repeat(40), "Ämter & Co"],
  PUBLIC_URL: ["https://app.example", "https://app.example/a/b/", "http://intranet:8080/support"],
};

const REJECTED: Record<string, string[]> = {
  PORT: ["65536", "-1", "80a", "8e3", " 80", "0x50", "1.5", "１"],
  SUPPORT_DESK_TIMEOUT_MS: ["99", "5001", "5s"],
  RATE_LIMIT_PER_MINUTE: ["-1", "1000001", "ten"],
  RETENTION_DAYS: ["0", "36501", "forever"],
  LOG_LEVEL: ["warning", "INFO", "trace"],
  LOG_FORMAT: ["text", "JSON"],
  AUTH_SECRET: ["x".repeat(31), "é".repeat(15)],
  CORS_ORIGINS: [
    "*",
    "null",
    "NULL",
    "app.example",
    "https://*",
    "https://*.example",
    "https://a.example,*",
    "http://a.example",
    "http://10.0.0.1",
    "http://localhost.a.example",
    "http://127.0.0.1.a.example",
    "http://a.example.localhost.evil",
    "https://a.example/",
    "https://a.example/x",
    "https://a.example?x",
    "https://a.example#x",
    "https://a.example:443",
    "https://user@a.example",
    "https://A.example",
    "HTTPS://a.example",
    "https://bücher.example",
    "https://a.example https://b.example",
    "https://a.example;https://b.example",
    "https:/a.example",
    "htps://a.example",
    "ws://a.example",
    "file://",
    "data:text/html,x",
    "blob:https://a.example",
    "capacitor://localhost/",
    "capacitor://*",
    "capacitor://",
    "capacitor:localhost",
    "Capacitor://localhost",
    "tauri://local host",
    "tauri://localhost:x",
    "a,b",
  ],
  AUTH_TENANTS_CLAIM: ["two words", "a\tb", "x".repeat(201)],
  AUTH_SCOPES_CLAIM: ["two words", "a\nb"],
  SUPPORT_DESK_LABEL: ["D".repeat(41), "a\nb", "a\x7fb"],
  PUBLIC_URL: [
    "/support",
    "app.example",
    "ftp://a.example",
    "https://a.example/?x",
    "https://a@b.example",
  ],
  SUPPORT_DESK_REFERENCE_FIELD: ["a}b", "a{b", "a'b", 'a"b', "a\\b", "a\nb", "x".repeat(201)],
};

for (const [name, values] of Object.entries(ACCEPTED)) {
  Deno.test(`Environment accepts every valid form of ${name}`, () => {
    for (const value of values) parse({ [name]: value });
  });
}

for (const [name, values] of Object.entries(REJECTED)) {
  Deno.test(`Environment rejects any other ${name}`, () => {
    for (const value of values) assertEquals(rejectedNames({ [name]: value }), [name], value);
  });
}

/** The variables whose URL may be plain http, with the variables that each requires. */
const URLS: [name: string, others: Record<string, string>][] = [
  ["SUPPORT_DESK_URL", DESK],
  ["AUTH_JWKS_URL", JWKS],
  ["KV_PATH", { DENO_KV_ACCESS_TOKEN: "token" }],
];

for (const [name, others] of URLS) {
  const rejected = (url: string, hosts = "") =>
    rejectedNames({ ...others, [name]: url, ALLOW_HTTP_HOSTS: hosts });

  Deno.test(`${name} may be https, or plain http to the loopback interface`, () => {
    for (
      const url of [
        "https://a.example",
        "https://a.example:8443/rt",
        "http://127.0.0.1:8080/rt",
        "http://127.255.255.254",
        "http://0x7f.1",
        "http://localhost",
        "http://LOCALHOST:1",
        "http://[::1]:1",
        "http://[0:0:0:0:0:0:0:1]/",
      ]
    ) parse({ ...others, [name]: url });
    for (
      const url of [
        "http://a.example",
        "http://10.0.0.1",
        "http://127.0.0.1.a.example",
        "http://localhost.a.example",
        "http://localhost.",
        "http://a.localhost",
        "http://[::2]",
        "http://0.0.0.0",
      ]
    ) assertEquals(rejected(url), [name], url);
  });

  Deno.test(`${name} may be plain http only to the hosts in ALLOW_HTTP_HOSTS`, () => {
    const hosts = " desk.internal , 10.0.0.7,[fd00::7],Bücher.internal";
    for (
      const url of [
        "http://desk.internal",
        "http://DESK.Internal:8080/rt",
        "http://10.0.0.7:4512",
        "http://[fd00:0:0::7]:1",
        "http://bücher.internal/",
        "http://xn--bcher-kva.internal/",
      ]
    ) parse({ ...others, [name]: url, ALLOW_HTTP_HOSTS: hosts });
    for (
      const url of [
        "http://desk.internal.evil.example",
        "http://rt.desk.internal",
        "http://xdesk.internal",
        "http://desk.internal.",
        "http://desk",
        "http://internal",
        "http://10.0.0.70",
        "http://10.0.0.7.evil.example",
        "http://[fd00::8]",
      ]
    ) assertEquals(rejected(url, hosts), [name], url);
  });

  Deno.test(`${name} has neither user information nor a fragment`, () => {
    for (
      const url of [
        "https://user:password@a.example",
        "https://user@a.example",
        "https://a.example/#top",
        "http://desk.internal@evil.example",
        "http://evil.example:80@desk.internal",
        "https://",
      ]
    ) assertEquals(rejected(url, "desk.internal"), [name], url);
  });
}

Deno.test("a URL must be http or https", () => {
  for (const url of ["ftp://a.example", "a.example", "file:///etc/passwd", "javascript:1"]) {
    assertEquals(rejectedNames({ ...DESK, SUPPORT_DESK_URL: url }), ["SUPPORT_DESK_URL"], url);
    assertEquals(rejectedNames({ ...JWKS, AUTH_JWKS_URL: url }), ["AUTH_JWKS_URL"], url);
  }
  const query = { ...DESK, SUPPORT_DESK_URL: "https://a.example/?q=1" };
  assertEquals(rejectedNames(query), ["SUPPORT_DESK_URL"]);
});

Deno.test("ALLOW_HTTP_HOSTS lists plain host names", () => {
  for (
    const hosts of [
      "*",
      "*.internal",
      "desk.internal:8080",
      "http://desk.internal",
      "desk.internal/rt",
      "user@desk.internal",
      "desk.internal.",
      "desk%2einternal",
      "desk.internal rt.internal",
      "desk.internal;rt.internal",
      "fd00::7",
      "[fd00::7]:80",
      "desk.internal?",
      "desk.internal#",
      "desk\\internal",
    ]
  ) assertEquals(rejectedNames({ ALLOW_HTTP_HOSTS: hosts }), ["ALLOW_HTTP_HOSTS"], hosts);
});

Deno.test("AUTH_JWKS_URL requires the issuer and the audience", () => {
  for (const missing of ["AUTH_ISSUER", "AUTH_AUDIENCE"]) {
    assertEquals(rejectedNames({ ...JWKS, [missing]: "" }), ["AUTH_ISSUER, AUTH_AUDIENCE"]);
  }
});

Deno.test("Environment accepts all three variables of a desk or none", () => {
  const names = Object.keys(DESK) as (keyof typeof DESK)[];
  for (const name of names) {
    assertEquals(rejectedNames({ ...DESK, [name]: "" }), [names.join(", ")]);
    assertEquals(rejectedNames({ [name]: DESK[name] }), [names.join(", ")]);
  }
  for (const token of ["two words", "a\nb", "ключ"]) {
    assertEquals(rejectedNames({ ...DESK, SUPPORT_DESK_TOKEN: token }), ["SUPPORT_DESK_TOKEN"]);
  }
  assertEquals(rejectedNames({ ...DESK, SUPPORT_DESK_QUEUE: "q".repeat(201) }), [
    "SUPPORT_DESK_QUEUE",
  ]);
});

Deno.test("Environment accepts exactly one of AUTH_SECRET and AUTH_JWKS_URL", () => {
  assertEquals(rejectedNames({ AUTH_SECRET: "" }), ["AUTH_SECRET, AUTH_JWKS_URL"]);
  const both = { ...JWKS, AUTH_SECRET: SECRET };
  assertEquals(rejectedNames(both), ["AUTH_SECRET, AUTH_JWKS_URL"]);
});

Deno.test("a KV Connect URL requires an access token, and a file does not", () => {
  const url = "https://kv.example/db";
  const DENO_KV_ACCESS_TOKEN = "token";
  assertEquals(parse({ KV_PATH: url, DENO_KV_ACCESS_TOKEN }).kv, { kind: "connect", url });
  assertEquals(rejectedNames({ KV_PATH: url }), ["DENO_KV_ACCESS_TOKEN"]);
  assertEquals(parse({ KV_PATH: url.toUpperCase(), DENO_KV_ACCESS_TOKEN }).kv.kind, "connect");
  for (const path of [":memory:", "./support requests.kv", "./a,b.kv"]) {
    assertEquals(rejectedNames({ KV_PATH: path, DENO_KV_ACCESS_TOKEN }), ["KV_PATH"], path);
  }
  assertEquals(parse({ KV_PATH: "/data/https.kv" }).kv, { kind: "file", path: "/data/https.kv" });
});
