import { assert, assertEquals, assertMatch } from "@std/assert";
import { VERSION } from "../../../config/version.ts";
import { openApiDocument } from "../../../routes/openapi/document.ts";
import type { Problem } from "../../../routes/http/problems.ts";
import { openService } from "../../support/service.ts";

const DOCUMENT = openApiDocument(VERSION);

const PUBLIC_URL = "https://app.example/support";

/** Requests that fail, at every depth of path. */
const FAILING: [path: string, init: RequestInit & { token?: null }][] = [
  ["/nowhere", {}],
  ["/livez", { method: "PUT" }],
  ["/v1/tenants/acme/audit-events?limit=0", {}],
  ["/v1/tenants/acme/support-requests", { method: "POST", body: "{}" }],
  ["/v1/tenants/acme/support-requests/latest", { token: null }],
  ["/v1/tenants/acme/runs/%20/support-requests/latest", {}],
];

Deno.test("behind a path prefix, a problem's type is the public URL of its page", async () => {
  await using service = await openService({ env: { PUBLIC_URL: `${PUBLIC_URL}/` } });
  for (const [path, init] of FAILING) {
    const response = await service.call(path, init);
    const problem: Problem = await response.json();
    // RFC 9457 has clients resolve it against the URL that they called.
    const type = new URL(problem.type, PUBLIC_URL + path).href;
    assertMatch(type, /^https:\/\/app\.example\/support\/problems\/[a-z-]+$/);
    const page = await service.call(type.slice(PUBLIC_URL.length), { token: null });
    assertEquals(page.status, 200);
    const text = await page.text();
    assert(text.startsWith(`${problem.status} ${problem.title}\n`));
    assert(text.includes(`"type": "${type}"`));
  }
});

Deno.test("without a public URL, a problem's type is the path that old clients compare", async () => {
  await using service = await openService();
  for (const [path, init] of FAILING) {
    const { type }: Problem = await (await service.call(path, init)).json();
    assertMatch(type, /^\/problems\/[a-z-]+$/);
  }
});

Deno.test("the document's server URL is correct behind any path prefix", () => {
  const url = DOCUMENT.servers[0]!.url;
  const resolved = (document: string) => new URL(url, document).href;
  assertEquals(resolved("http://127.0.0.1:8000/openapi.json"), "http://127.0.0.1:8000/");
  assertEquals(resolved(`${PUBLIC_URL}/openapi.json`), `${PUBLIC_URL}/`);
  assertEquals(resolved("https://a.example/x/y/openapi.json"), "https://a.example/x/y/");
});
