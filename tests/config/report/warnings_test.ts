import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { readEnvFile } from "../../../config/report/env_file.ts";
import { looksLikeExample } from "../../../config/report/example_secrets.ts";
import { findWarnings } from "../../../config/report/warnings.ts";
import { VARIABLES } from "../../../config/report/values.ts";

/** Returns the warnings about a `.env` with this text, or about these variables. */
function warnings(
  text: string,
  { env = {}, mode = 0o100600 }: { env?: Record<string, string>; mode?: number } = {},
): string[] {
  const file = readEnvFile(text);
  return findWarnings(VARIABLES, { env, environmentNames: new Set(Object.keys(env)), file }, mode);
}

Deno.test("a .env that Deno reads as it is written causes no warning", () => {
  const text = [
    "# KV_PATH=$x",
    "KV_PATH=./deskhand.kv",
    "  export AUTH_SECRET = 'a$b # c' # a comment with $ and '",
    'SUPPORT_DESK_QUEUE="two words"',
    "SUPPORT_DESK_LABEL=two words # a comment",
    "SUPPORT_DESK_TOKEN=a\\$b",
    "",
    "DENO_CERT=/etc/ca.pem",
    "OTEL_DENO=true",
    "no_proxy=desk.internal",
    "CORS_ORIGINS='https://a.example,",
    "https://b.example'",
    "PORT=8000 # not $PORT",
    "HOST= # the default",
    "PUBLIC_URL=",
    "LOG_LEVEL =",
    'SUPPORT_DESK_REFERENCE_FIELD="a\\tb"',
  ];
  assertEquals(warnings(text.join("\n")), []);
});

const SURPRISES: Record<string, [text: string, warning: RegExp]> = {
  "a byte order mark": ["\uFEFFPORT=1", /byte order mark, so PORT is not read/],
  "a byte order mark before a comment": ["\uFEFF# x\nPORT=1", /byte order mark: save/],
  "CR LF": ["PORT=1\r\nHOST=::1\r\n", /CR LF/],
  "a dollar sign": ["AUTH_SECRET=ab$cd", /AUTH_SECRET has a '\$'/],
  "a dollar sign at the end": ["AUTH_SECRET=abcd$", /AUTH_SECRET has a '\$'/],
  "a dollar sign in double quotes": ['AUTH_SECRET="ab$cd"', /AUTH_SECRET has a '\$'/],
  "a dollar sign in backticks": ["AUTH_SECRET=`ab$cd`", /AUTH_SECRET has a '\$'/],
  "a dollar sign in another variable": ["SUPPORT_DESK_QUEUE=$HOME", /QUEUE has a '\$'/],
  "a number sign": ["SUPPORT_DESK_TOKEN=ab#cd", /SUPPORT_DESK_TOKEN is cut at its '#'/],
  "a value that begins with a number sign": ["SUPPORT_DESK_TOKEN=#ab", /TOKEN is cut at its '#'/],
  "an escape in double quotes": ['AUTH_SECRET="ab\\ncd"', /AUTH_SECRET has a backslash/],
  "characters after a quote": ["AUTH_SECRET='ab'cd", /AUTH_SECRET has characters after/],
  "a blank in the place of a value": ["SUPPORT_DESK_URL= \nPORT=1", /URL has a blank after '='/],
  "an open quote": ["AUTH_SECRET='abcd", /AUTH_SECRET begins with a quote that is not closed/],
  "a line without a value": ["PORT=1\n\nKV_PATH ./x.kv", /line 3 of .env is not NAME=value/],
  "a name with a blank": ["KV PATH=./x.kv", /line 1 of .env is not NAME=value/],
  "a name twice": [
    "PORT=1\nHOST=::1\nPORT=2",
    /PORT is set again in line 3 .*: Deno takes line 1,/,
  ],
  "a misspelt name": [
    "SUPPORT_DESK_QUEU=q",
    /no variable of Deskhand \(is it SUPPORT_DESK_QUEUE\?/,
  ],
  "a name in lower case": ["kv_path=x", /no variable of Deskhand \(is it KV_PATH\?/],
  "a foreign name": ["DATABASE=x", /DATABASE in .env is no variable of Deskhand and is ignored/],
};

for (const [title, [text, warning]] of Object.entries(SURPRISES)) {
  Deno.test(`config warns of ${title} in .env`, () => {
    const found = warnings(text);
    assertEquals(found.length, 1, found.join("\n"));
    assertMatch(found[0]!, warning);
  });
}

Deno.test("config warns of a .env that others can read", () => {
  assertMatch(warnings("PORT=1", { mode: 0o100644 })[0]!, /mode 0644 .*chmod 600/);
  assertMatch(warnings("PORT=1", { mode: 0o100640 })[0]!, /mode 0640/);
});

Deno.test("config warns of an empty variable that hides the one in .env", () => {
  const found = warnings("AUTH_ISSUER=acme\nAUTH_AUDIENCE=", {
    env: { AUTH_ISSUER: "", AUTH_AUDIENCE: "" },
  });
  assertEquals(found.length, 1, found.join("\n"));
  assertMatch(found[0]!, /AUTH_ISSUER is empty in the environment/);
});

Deno.test("a misspelt variable in the environment is named, a foreign one is not", () => {
  for (
    const [name, known] of [
      ["SUPORT_DESK_URL", "SUPPORT_DESK_URL"],
      ["CORS_ORIGIN", "CORS_ORIGINS"],
      ["KV_PAHT", "KV_PATH"],
      ["auth_secret", "AUTH_SECRET"],
      ["RATE_LIMIT_PER_MINUTES", "RATE_LIMIT_PER_MINUTE"],
    ] as const
  ) {
    const found = warnings("", { env: { [name]: "planted" } });
    assertEquals(found.length, 1, name);
    assertMatch(found[0]!, new RegExp(`^${name} in the environment .*is it ${known}\\?`));
    assertFalse(found[0]!.includes("planted"));
  }
  assertMatch(warnings("", { env: { SUPPORT_DESK_TIMEOUT: "1" } })[0]!, /is no variable/);
  const foreign = ["PATH", "HOME", "HOSTNAME", "POST", "LANG", "MANPATH", "SSL_CERT_FILE", "PORTS"];
  const env = Object.fromEntries(foreign.map((name) => [name, "x"]));
  assertEquals(warnings("", { env }), []);
});

Deno.test("config says which requests go through a proxy", () => {
  assertMatch(warnings("", { env: { HTTPS_PROXY: "http://p" } })[0]!, /^HTTPS_PROXY: .*https/);
  assertMatch(warnings("", { env: { http_proxy: "http://p" } })[0]!, /^http_proxy: .*bypass/);
  assertEquals(warnings("", { env: { ALL_PROXY: "http://p" } }).length, 2);
  assertEquals(warnings("", { env: { HTTPS_PROXY: "" } }), []);
});

Deno.test("config warns of secrets that are examples, quoted, or have blanks at their ends", () => {
  for (const name of ["AUTH_SECRET", "SUPPORT_DESK_TOKEN", "DENO_KV_ACCESS_TOKEN"]) {
    for (
      const value of [
        "changeme-changeme-changeme-changeme",
        "a secret for tests, of 32 bytes or more",
        "only an example that was never replaced",
        "your-token-here-your-token-here",
        "openssl rand -base64 48",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "gk2-gk2-gk2-gk2-gk2-gk2-gk2-gk2-gk2-",
        "0123456789abcdef0123456789abcdef",
        "'zK4rV9mQ2xWbT7hLcD5nYpE8sJfG3uAa'",
        " zK4rV9mQ2xWbT7hLcD5nYpE8sJfG3uAa",
      ]
    ) {
      const found = warnings("", { env: { [name]: value } });
      assertEquals(found.length, 1, value);
      assert(found[0]!.startsWith(name));
      assertFalse(found[0]!.includes(value));
    }
  }
});

Deno.test("a random secret does not look like an example", async () => {
  // Digests instead of random values, so that the test gives the same result each time.
  let bytes = new Uint8Array([1]);
  for (let count = 0; count < 1_000; count++) {
    bytes = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
    for (const secret of [bytes.toBase64(), bytes.toHex(), bytes.slice(0, 16).toHex()]) {
      assertFalse(looksLikeExample(secret), secret);
    }
  }
});
