// deno-lint-ignore-file no-console -- the table is part of the tests' output
/**
 * What an operator finds out about a failed handoff at a real Request Tracker: from the log line
 * `handoff_failed`, and from the smoke test.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { diagnose, serveDeskhand } from "../smoke/operator.ts";
import { deskEnv } from "../support/constants.ts";
import { startNginx } from "../support/nginx.ts";
import { freePort, respondWith, startRawServer } from "../support/raw_server.ts";
import { type RequestTracker, startRequestTracker } from "./instance.ts";
import { startProxy } from "./proxy.ts";

interface Row {
  kind: string;
  /** Brings the fault about; returns the environment that leads to it, and what ends it. */
  begin(desk: RequestTracker): Promise<Fault> | Fault;
  /** The fields of `handoff_failed`, or null if there is a ticket. */
  log: { reason: string; phase?: string; deskStatus?: number } | null;
  /** What smoke says of RT, before it says that there is no ticket. */
  smoke: RegExp;
}

interface Fault {
  env?: Record<string, string>;
  end?(): unknown;
}

const REFUSED = "desk_refused_credentials";

/** Stops a server of the test when the fault ends. */
function at(url: string, server: AsyncDisposable): Fault {
  return { env: { SUPPORT_DESK_URL: url }, end: () => server[Symbol.asyncDispose]() };
}

const ROWS: Row[] = [
  {
    kind: "queue misspelt",
    begin: () => ({ env: { SUPPORT_DESK_QUEUE: "Suport" } }),
    log: { reason: REFUSED, phase: "response", deskStatus: 403 },
    smoke:
      /^Queue: it does not exist, .* \(403; SUPPORT_DESK_QUEUE is "Suport"\)\. The user sees "Escalated", "Support"$/,
  },
  {
    kind: "queue disabled",
    async begin(desk) {
      await desk.disableQueue();
      return { end: () => desk.enableQueue() };
    },
    log: { reason: REFUSED, phase: "response", deskStatus: 403 },
    smoke: /^Queue: it is disabled \(SUPPORT_DESK_QUEUE is "Support"\)$/,
  },
  {
    kind: "right CreateTicket missing",
    async begin(desk) {
      await desk.revokeRight("CreateTicket");
      return { end: () => desk.grantRight("CreateTicket") };
    },
    log: { reason: REFUSED, phase: "response", deskStatus: 403 },
    smoke: /^Right: Deskhand's user may not create tickets in the queue "Support"$/,
  },
  {
    kind: "right SeeQueue missing",
    async begin(desk) {
      await desk.revokeRight("SeeQueue");
      return { end: () => desk.grantRight("SeeQueue") };
    },
    log: null,
    smoke: /^Queue: it does not exist, or Deskhand's user may not see it .* sees no queue at all$/,
  },
  {
    kind: "token unknown",
    begin: () => ({ env: { SUPPORT_DESK_TOKEN: "1-14-0123456789abcdef" } }),
    log: { reason: REFUSED, phase: "response", deskStatus: 401 },
    smoke:
      /^Token: RT does not know the token in SUPPORT_DESK_TOKEN, or its user is disabled \(401\)$/,
  },
  {
    kind: "user disabled",
    async begin(desk) {
      await desk.disableUser();
      return { end: () => desk.enableUser() };
    },
    log: { reason: REFUSED, phase: "response", deskStatus: 401 },
    smoke: /^Token: .* or its user is disabled \(401\)$/,
  },
  {
    kind: "custom field not applied to the queue",
    async begin(desk) {
      await desk.dropField();
      return { end: () => desk.restoreField() };
    },
    log: null,
    smoke:
      /^Field: RT will drop the reference, because the queue "Support" has no such ticket custom field/,
  },
  {
    kind: "custom field misspelt",
    begin: () => ({ env: { SUPPORT_DESK_REFERENCE_FIELD: "supportref" } }),
    log: null,
    smoke:
      /^Field: its name at RT is "SupportRef" \(SUPPORT_DESK_REFERENCE_FIELD is "supportref"\)$/,
  },
  {
    kind: "right ModifyCustomField missing",
    async begin(desk) {
      await desk.revokeRight("ModifyCustomField");
      return { end: () => desk.grantRight("ModifyCustomField") };
    },
    log: null,
    smoke: /^Right: RT dropped the reference, and the ticket's custom field is empty/,
  },
  {
    kind: "right SeeCustomField missing",
    async begin(desk) {
      await desk.revokeRight("SeeCustomField");
      return { end: () => desk.grantRight("SeeCustomField") };
    },
    log: null,
    smoke: /^Field: RT will drop the reference, .* or Deskhand's user may not see it/,
  },
  {
    kind: "right ShowTicket missing",
    async begin(desk) {
      await desk.revokeRight("ShowTicket");
      return { end: () => desk.grantRight("ShowTicket") };
    },
    log: null,
    smoke: /^Right: Deskhand's user may not read the ticket \(403\), so lookups miss it$/,
  },
  {
    kind: "base path wrong",
    begin: (desk) => ({ env: { SUPPORT_DESK_URL: `${desk.url}/help/rt` } }),
    // RT responds to an unknown path with a page and 200.
    log: { reason: "desk_unreadable", phase: "response", deskStatus: 200 },
    smoke:
      /^Base path: RT's REST API is at http:\/\/127\.0\.0\.1:\d+ \(SUPPORT_DESK_URL is .*\/help\/rt\)$/,
  },
  {
    kind: "https to RT's http port",
    begin: (desk) => ({ env: { SUPPORT_DESK_URL: desk.url.replace("http:", "https:") } }),
    log: { reason: "desk_timeout", phase: "request" },
    smoke: /^TLS: the port speaks plain http, and https was used/,
  },
  {
    kind: "http to nginx's TLS port",
    async begin(desk) {
      // Without Deskhand's own redirect, as nginx is by default.
      const edits: [string, string][] = [["error_page 497 =308 https://$host$request_uri;", ""]];
      const nginx = await startNginx({ upstream: desk.url, hasTls: true, edits });
      return at(`http://localhost:${nginx.port}`, nginx);
    },
    log: { reason: "desk_rejected", phase: "response", deskStatus: 400 },
    smoke: /^TLS: the port speaks TLS, and plain http was used/,
  },
  {
    kind: "nginx's certificate signed by an unknown authority",
    async begin(desk) {
      const nginx = await startNginx({ upstream: desk.url, hasTls: true });
      return at(nginx.url, nginx);
    },
    log: { reason: "desk_unreachable", phase: "tls" },
    smoke: /^TLS: the certificate of localhost:\d+ is signed by an unknown authority/,
  },
  {
    kind: "nginx redirects http to https",
    async begin(desk) {
      const nginx = await startNginx({ upstream: desk.url, hasTls: true });
      return at(nginx.plainUrl, nginx);
    },
    log: { reason: REFUSED, phase: "response", deskStatus: 308 },
    smoke: /^Redirect: the API redirects to https:\/\/localhost:\d+\/REST\/2\.0\/rt/,
  },
  {
    kind: "nginx runs, RT does not",
    async begin() {
      const nginx = await startNginx({ upstream: "http://127.0.0.1:9" });
      return at(nginx.url, nginx);
    },
    log: { reason: "desk_error", phase: "response", deskStatus: 502 },
    smoke: /^Error: RT or a proxy in front of it responded 502/,
  },
  {
    kind: "sign-on in front of RT",
    begin() {
      const server = startRawServer(respondWith(302, "", "Location: https://sso.example/login"));
      return at(server.url, server);
    },
    log: { reason: REFUSED, phase: "response", deskStatus: 302 },
    smoke: /^Login page: the API redirects to https:\/\/sso\.example\/login \(302/,
  },
  {
    kind: "web application firewall rejects the ticket only",
    begin(desk) {
      const block = respondWith(403, "<h1>Blocked</h1>", "Content-Type: text/html");
      const proxy = startProxy(desk.url, () => block);
      return at(proxy.url, proxy);
    },
    log: { reason: "desk_rejected", phase: "response", deskStatus: 403 },
    smoke: /^desk_rejected: RT, or a firewall or proxy in front of it, did not accept the ticket/,
  },
  {
    kind: "DNS",
    begin: () => ({ env: { SUPPORT_DESK_URL: "https://rt.invalid" } }),
    log: { reason: "desk_unreachable", phase: "dns" },
    smoke: /^DNS: the host name rt\.invalid cannot be resolved/,
  },
  {
    kind: "port closed",
    begin: () => ({ env: { SUPPORT_DESK_URL: `http://127.0.0.1:${freePort()}` } }),
    log: { reason: "desk_unreachable", phase: "connect" },
    smoke: /^Port: 127\.0\.0\.1:\d+ refused the connection/,
  },
  {
    kind: "RT hangs",
    begin(desk) {
      desk.pause();
      return { end: () => desk.resume() };
    },
    log: { reason: "desk_timeout", phase: "request" },
    smoke: /^Timeout: RT accepted the connection and sent no response within 5 s/,
  },
];

Deno.test("the log line and smoke name the cause of a failed handoff", async (t) => {
  await using desk = await startRequestTracker();
  const table: string[] = [];
  for (const { kind, begin, log, smoke } of ROWS) {
    await t.step(kind, async () => {
      const { env = {}, end } = await begin(desk);
      const settings = { ...deskEnv(desk), ...env };
      try {
        await using deskhand = await serveDeskhand({
          ...settings,
          SUPPORT_DESK_TIMEOUT_MS: "1000",
        });
        const [failure, ...others] = await diagnose({
          url: deskhand.url,
          handoff: "create",
          env: settings,
        });
        const line = deskhand.service.lines.find(({ event }) => event === "handoff_failed");
        const { reason, phase, deskStatus } = line ?? {};
        const fields = JSON.stringify({ reason, phase, deskStatus });
        table.push(`| ${kind} | ${line ? fields : "`handoff_created`"} | ${failure?.cause} |`);
        assertEquals(line === undefined ? null : fields, log && JSON.stringify(log));
        assertMatch(failure!.cause, smoke);
        assert(log === null || others.length > 0 || failure!.cause.startsWith(log.reason));
      } finally {
        await end?.();
        await desk.idle();
      }
    });
  }
  console.log(`| kind | log | smoke |\n| --- | --- | --- |\n${table.join("\n")}`);
});

Deno.test("smoke passes at a Request Tracker that works, and leaves one ticket", async () => {
  await using desk = await startRequestTracker();
  const env = deskEnv(desk);
  await using deskhand = await serveDeskhand(env);
  assertEquals(await diagnose({ url: deskhand.url, handoff: "create", env }), []);
  assertEquals(desk.tickets("SR-").length, 1);
});
