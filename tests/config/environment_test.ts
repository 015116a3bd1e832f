import { assertEquals } from "@std/assert";
import { DESK, JWKS, parse, refused } from "./fixtures.ts";

const ACCEPTED: Record<string, string[]> = {
  PORT: ["0", "1", "65535"],
  SUPPORT_DESK_TIMEOUT_MS: ["100", "5000"],
  RATE_LIMIT_PER_MINUTE: ["0", "1", "1000000"],
  RETENTION_DAYS: ["1", "36500"],
  LOG_LEVEL: ["debug", "info", "warn", "error"],
  AUTH_SECRET: ["x".repeat(32), "é".repeat(16)],
  CORS_ORIGINS: ["https://a.example", "https://a.example,https://b.example:8443"],
  SUPPORT_DESK_LABEL: ["D".repeat(40), "Ämter & Co"],
  PUBLIC_URL: ["https://app.example", "https://app.example/a/b/", "http://intranet:8080/support"],
};

const REFUSED: Record<string, string[]> = {
  PORT: ["65536", "-1", "80a", "8e3", " 80", "0x50", "1.5", "１"],
  SUPPORT_DESK_TIMEOUT_MS: ["99", "5001", "5s"],
  RATE_LIMIT_PER_MINUTE: ["-1", "1000001", "ten"],
  RETENTION_DAYS: ["0", "36501", "forever"],
  LOG_LEVEL: ["warning", "INFO", "trace"],
  AUTH_SECRET: ["x".repeat(31), "é".repeat(15)],
  CORS_ORIGINS: ["*", "null", "app.example", "https://a.example/", "https://a.example/x", "a,b"],
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
  Deno.test(`Environment accepts a ${name} at either end of what it may be`, () => {
    for (const value of values) parse({ [name]: value });
  });
}

for (const [name, values] of Object.entries(REFUSED)) {
  Deno.test(`Environment refuses another ${name}`, () => {
    for (const value of values) assertEquals(refused({ [name]: value }), [name], value);
  });
}

Deno.test("Environment reaches the desk and the key set by https, or on this machine", () => {
  for (
    const url of [
      "https://a.example",
      "http://127.0.0.1:8080/rt",
      "http://localhost",
      "http://[::1]:1",
    ]
  ) {
    parse({ ...DESK, SUPPORT_DESK_URL: url });
    parse({ ...JWKS, AUTH_JWKS_URL: url });
  }
  const others = [
    "http://a.example",
    "http://10.0.0.1",
    "http://127.0.0.1.a.example",
    "ftp://a.example",
  ]
    .concat("a.example", "https://", "file:///etc/passwd", "http://localhost.a.example")
    .concat("https://user:password@a.example", "https://user@a.example", "https://a.example/#top");
  for (const url of others) {
    assertEquals(refused({ ...DESK, SUPPORT_DESK_URL: url }), ["SUPPORT_DESK_URL"], url);
    assertEquals(refused({ ...JWKS, AUTH_JWKS_URL: url }), ["AUTH_JWKS_URL"], url);
  }
  assertEquals(refused({ ...DESK, SUPPORT_DESK_URL: "https://a.example/?q=1" }), [
    "SUPPORT_DESK_URL",
  ]);
});

Deno.test("Environment takes a desk whole or not at all", () => {
  const names = Object.keys(DESK) as (keyof typeof DESK)[];
  for (const name of names) {
    assertEquals(refused({ ...DESK, [name]: "" }), [names.join(", ")]);
    assertEquals(refused({ [name]: DESK[name] }), [names.join(", ")]);
  }
  for (const token of ["two words", "a\nb", "ключ"]) {
    assertEquals(refused({ ...DESK, SUPPORT_DESK_TOKEN: token }), ["SUPPORT_DESK_TOKEN"]);
  }
  assertEquals(refused({ ...DESK, SUPPORT_DESK_QUEUE: "q".repeat(201) }), ["SUPPORT_DESK_QUEUE"]);
});

Deno.test("Environment takes exactly one of the secret and the key set", () => {
  assertEquals(refused({ AUTH_SECRET: "" }), ["AUTH_SECRET, AUTH_JWKS_URL"]);
  const both = { AUTH_JWKS_URL: JWKS.AUTH_JWKS_URL };
  assertEquals(refused(both), ["AUTH_SECRET, AUTH_JWKS_URL"]);
});

Deno.test("Environment tells a KV Connect server from a file, and needs a token for it", () => {
  const url = "https://kv.example/db";
  const DENO_KV_ACCESS_TOKEN = "token";
  assertEquals(parse({ KV_PATH: url, DENO_KV_ACCESS_TOKEN }).kv, { kind: "connect", url });
  assertEquals(refused({ KV_PATH: url }), ["DENO_KV_ACCESS_TOKEN"]);
  assertEquals(parse({ KV_PATH: url.toUpperCase(), DENO_KV_ACCESS_TOKEN }).kv.kind, "connect");
  for (const path of ["http://kv.example", ":memory:", "./support requests.kv", "./a,b.kv"]) {
    assertEquals(refused({ KV_PATH: path, DENO_KV_ACCESS_TOKEN }), ["KV_PATH"], path);
  }
  assertEquals(parse({ KV_PATH: "/data/https.kv" }).kv, { kind: "file", path: "/data/https.kv" });
});
