/** What smoke says about a desk that responds, and not as RT's REST API does. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deskEnv } from "../support/constants.ts";
import { type Behavior, respondWith, startRawServer } from "../support/raw_server.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { diagnose, type Failure, openDeskhand } from "./operator.ts";

/** What is wrong with a desk at `url`, while Deskhand itself works. */
async function diagnoseDesk(url: string, env: Record<string, string> = {}): Promise<Failure[]> {
  await using deskhand = await openDeskhand();
  return await diagnose({
    url: deskhand.url,
    env: { ...deskhand.atDesk, SUPPORT_DESK_URL: url, ...env },
  });
}

const PAGE = "Content-Type: text/html; charset=utf-8";
const JSON_TYPE = "Content-Type: application/json";

const RESPONSES: [what: string, behaviour: Behavior, cause: string, next: RegExp][] = [
  [
    "a redirect to a login page",
    respondWith(302, "", "Location: https://sso.example/login?next=secret"),
    "Login page: the API redirects to https://sso.example/login (302; SUPPORT_DESK_URL is URL)",
    /^Exempt \/REST\/2\.0\/ from the sign-on/,
  ],
  [
    "a redirect to another URL",
    respondWith(301, "", "Location: https://rt.example/REST/2.0/rt"),
    "Redirect: the API redirects to https://rt.example/REST/2.0/rt (301; SUPPORT_DESK_URL is URL)",
    /set SUPPORT_DESK_URL to the final URL/,
  ],
  [
    "a login page",
    respondWith(200, "<h1>Sign in</h1>", PAGE),
    "Login page or another site: the API's URL returns a page (200, text/html; " +
    "SUPPORT_DESK_URL is URL)",
    /^Open SUPPORT_DESK_URL in a browser/,
  ],
  [
    "a proxy with a login of its own",
    respondWith(401, "", "WWW-Authenticate: Basic realm=desk", PAGE),
    "Login: a proxy in front of RT wants its own login (401, not RT's; SUPPORT_DESK_URL is URL)",
    /^Exempt/,
  ],
  [
    "a web application firewall",
    respondWith(403, "<h1>Request blocked</h1>", PAGE),
    "Firewall: a web application firewall or a proxy responded 403, not RT " +
    "(SUPPORT_DESK_URL is URL)",
    /^Exempt POST and GET below \/REST\/2\.0\//,
  ],
  [
    "a rate limit",
    respondWith(429, "", PAGE),
    "Rate limit: RT or a proxy in front of it rejects more requests (429; SUPPORT_DESK_URL is URL)",
    /^Raise the limit/,
  ],
  [
    "a proxy whose RT is down",
    respondWith(502, "<h1>Bad gateway</h1>", PAGE),
    "Error: RT or a proxy in front of it responded 502 (SUPPORT_DESK_URL is URL)",
    /^Check that RT is running/,
  ],
  [
    "another service",
    respondWith(404, '{"error":"no such route"}', JSON_TYPE),
    "Another service responds there: 404, application/json, and not RT (SUPPORT_DESK_URL is URL)",
    /^Correct the address, port and base path/,
  ],
];

for (const [what, behaviour, cause, next] of RESPONSES) {
  Deno.test(`smoke recognizes ${what} at the desk's URL`, async () => {
    const { url, close } = startRawServer(behaviour);
    try {
      const [failure, ...others] = await diagnoseDesk(url);
      assertEquals(others, []);
      assertEquals(failure!.title, "RT's REST API is there");
      assertEquals(failure!.cause, cause.replace("URL)", `${url})`));
      assertMatch(failure!.next, next);
    } finally {
      await close();
    }
  });
}

/** A server that passes what is below `prefix` on to `target`, and responds 404 to the rest. */
function startPrefix(prefix: string, target: string) {
  const pathsWithToken: string[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, (request) => {
    const { pathname, search } = new URL(request.url);
    if (request.headers.has("Authorization")) pathsWithToken.push(pathname);
    if (!pathname.startsWith(`${prefix}/`)) return new Response("<h1>404</h1>", { status: 404 });
    return fetch(target + pathname.slice(prefix.length) + search, { headers: request.headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    pathsWithToken,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("smoke finds the base path of the desk, without sending it the token", async () => {
  const desk = startFakeDesk();
  const env = deskEnv(desk);
  try {
    for (
      const [prefix, path, base] of [
        ["/rt", "", "/rt"],
        ["", "/rt", ""],
        ["/help/rt", "/help/rt/REST/2.0", "/help/rt"],
      ] as const
    ) {
      await using proxy = startPrefix(prefix, desk.url);
      const [failure, ...others] = await diagnoseDesk(proxy.url + path, {
        ...env,
        SUPPORT_DESK_URL: proxy.url + path,
      });
      assertEquals(others, []);
      assertStringIncludes(failure!.cause, `Base path: RT's REST API is at ${proxy.url}${base} (`);
      assertEquals(
        failure!.next,
        `Set SUPPORT_DESK_URL to ${proxy.url}${base} and restart Deskhand`,
      );
      // Other services of the host do not get the token.
      assertEquals(proxy.pathsWithToken, [`${path}/REST/2.0/rt`]);
    }
  } finally {
    await desk.close();
  }
});

Deno.test("smoke distinguishes a wrong token, queue and custom field", async () => {
  const desk = startFakeDesk();
  try {
    for (
      const [env, cause] of [
        [{ SUPPORT_DESK_TOKEN: "another-token" }, /^Token: RT does not know the token/],
        [
          { SUPPORT_DESK_QUEUE: "Suport" },
          /^Queue: it does not exist.*\(403; SUPPORT_DESK_QUEUE is "Suport"\)/,
        ],
        [
          { SUPPORT_DESK_REFERENCE_FIELD: "Other" },
          /^Field: RT will drop.*\(SUPPORT_DESK_REFERENCE_FIELD is "Other"\)/,
        ],
      ] as const
    ) {
      const [failure, ...others] = await diagnoseDesk(desk.url, { ...deskEnv(desk), ...env });
      assertEquals(others, []);
      assertMatch(failure!.cause, cause);
    }
  } finally {
    await desk.close();
  }
});

Deno.test("smoke reports by how many seconds the clock of the desk is wrong", async () => {
  const day = 24 * 60 * 60;
  const at = (seconds: number) => `Date: ${new Date(Date.now() + seconds * 1000).toUTCString()}`;
  const version = '{"Version":"5.0.3"}';
  for (const [seconds, direction] of [[2 * day, "ahead of"], [-2 * day, "behind"]] as const) {
    const { url, close } = startRawServer(respondWith(200, version, JSON_TYPE, at(seconds)));
    try {
      const [failure] = await diagnoseDesk(url);
      const [, found, said] = /RT's clock is (\d+) s (.*) this machine's/.exec(failure!.cause)!;
      assertEquals([Math.abs(Number(found) - 2 * day) <= 2, said], [true, direction]);
    } finally {
      await close();
    }
  }
});
