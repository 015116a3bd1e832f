/** What smoke says about another service, or a proxy, at Deskhand's URL. */
import { assertEquals } from "@std/assert";
import { type Behavior, respondWith, startRawServer } from "../support/raw_server.ts";
import { diagnose } from "./operator.ts";

const PAGE = "Content-Type: text/html";
const KV = '{"type":"/problems/store-unavailable","title":"x","status":503,"detail":"x"}';

const RESPONSES: [what: string, behavior: Behavior, cause: string, next: string][] = [
  [
    "another service that has a page for everything",
    respondWith(200, "<h1>Welcome</h1>", PAGE),
    "Another service responds there: its /livez is not Deskhand's (--url is {url})",
    "Correct the address and port in --url",
  ],
  [
    "another service without /livez",
    respondWith(404, "<h1>Not found</h1>", PAGE),
    "Something else responds there: 404, which Deskhand does not send here (--url is {url})",
    "Correct the address and port in --url, and check any proxy in front of Deskhand",
  ],
  [
    "a redirect to https",
    respondWith(308, "", "Location: https://desk.example/livez?secret"),
    "It redirects to https://desk.example/livez (308; --url is {url})",
    "If that is Deskhand's URL, use it with --url",
  ],
  [
    "a proxy without a running Deskhand",
    respondWith(502, "<h1>Bad gateway</h1>", PAGE),
    "A proxy responded 502 instead of Deskhand (--url is {url})",
    "Check that Deskhand is running behind the proxy, and the proxy's log",
  ],
  [
    "a Deskhand whose store is not available",
    respondWith(503, KV, "Content-Type: application/problem+json"),
    "KV does not respond or does not accept writes (503)",
    "Check KV_PATH, its disk or its server, and the log for the events store_open_failed and " +
    "store_unavailable",
  ],
];

for (const [what, behavior, cause, next] of RESPONSES) {
  Deno.test(`smoke recognizes ${what}`, async () => {
    await using server = startRawServer(behavior);
    assertEquals(await diagnose({ url: server.url }), [
      { title: "Deskhand responds", cause: cause.replace("{url}", server.url), next },
    ]);
  });
}
