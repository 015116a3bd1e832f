import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UnsupportedPathError } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import { SplitRouter } from "../../../routes/http/router.ts";
import { openService } from "../../support/service.ts";

Deno.test("a route that the fast router does not support is an error when it is registered", () => {
  const router = new SplitRouter<string>("/panel/");
  router.add("GET", "/panel/integrity.json", "literal");
  router.add("GET", "/panel/:script", "parameter");
  router.add("GET", "/v1/tenants/all", "literal");
  assertThrows(() => router.add("GET", "/v1/tenants/:tenantId", "parameter"), UnsupportedPathError);
});

Deno.test("any path has the same route with both routers", async () => {
  await using service = await openService();
  const { routes } = service.app;
  const [split, reference] = [new SplitRouter<string>("/panel/"), new TrieRouter<string>()];
  for (const router of [split, reference]) {
    for (const [index, { method, path }] of routes.entries()) {
      router.add(method, path, `${index} ${method} ${path}`);
    }
  }
  // Not the patterns themselves, some of whose handlers the TrieRouter would run twice.
  const paths = routes.map(({ path }) => path.replaceAll(/:\w+/g, "a")).filter((path) =>
    path !== "/*"
  );
  const segment = fc.constantFrom(
    "v1",
    "tenants",
    "panel",
    "locales",
    "de.json",
    "a",
    "",
    "\n",
    "%2F",
  );
  const path = fc.oneof(
    fc.constantFrom(...paths),
    fc.tuple(fc.constantFrom(...paths), fc.constantFrom("/", "//", "/x", "x")).map((parts) =>
      parts.join("")
    ),
    fc.array(segment, { maxLength: 8 }).map((segments) => `/${segments.join("/")}`),
    fc.string().filter((text) => !/[*:]/.test(text)).map((text) => `/${text}`),
  );
  fc.assert(
    fc.property(fc.constantFrom("GET", "POST", "OPTIONS", "BREW"), path, (method, path) => {
      assertEquals(routed(split, method, path), routed(reference, method, path));
    }),
    { numRuns: 2_000 },
  );
});

/** Returns the handlers of a path with their parameters, which each router returns in another form. */
function routed(router: SplitRouter<string> | TrieRouter<string>, method: string, path: string) {
  const [handlers, values] = router.match(method, path);
  return handlers.map(([handler, params]) => {
    const entries = Object.entries(params).map(([name, param]) =>
      [name, typeof param === "number" ? values![param] : param] as const
    );
    return [handler, Object.fromEntries(entries)];
  });
}
