/**
 * Faults of a real Request Tracker and of proxies in front of it, and what Deskhand must report.
 */
import {
  type Behavior,
  closeAfter,
  drip,
  head,
  respondWith,
  stallAfter,
  startRawServer,
  startResettingServer,
  write,
} from "../support/raw_server.ts";
import type { RequestTracker } from "./instance.ts";
import { type Spoil, startProxy } from "./proxy.ts";

/** A fault in progress. */
export interface Fault {
  /** Environment variables that lead Deskhand to it. */
  env?: Record<string, string>;
  /** The desk timeout, if it is to expire. */
  timeoutMs?: number;
  /** Continues the fault while the submission is in progress. */
  during?(): Promise<void>;
  /** Ends the fault, after the response to the submission. */
  lift?(): unknown;
  /** Whether the desk is unreachable from then on. */
  isFinal?: true;
}

export interface Row {
  fault: string;
  /** What Deskhand must report. */
  reports: string;
  begin(desk: RequestTracker): Fault | Promise<Fault>;
}

const SHORT_MS = 1000;
/** Longer than anything takes that is not to time out. */
export const LONG_MS = 5000;
const CREATED = "created";
export const MAY_EXIST = "a ticket may exist";
export const NO_TICKET = "no ticket";

/** Faults of the real desk. */
const DESK_FAULTS: Row[] = [
  { fault: "none", reports: CREATED, begin: () => ({}) },
  {
    fault: "server paused (SIGSTOP) beyond the timeout",
    reports: `desk_timeout, ${MAY_EXIST}`,
    begin(desk) {
      desk.pause();
      return { timeoutMs: SHORT_MS, lift: () => desk.resume() };
    },
  },
  {
    fault: "server paused, and resumed (SIGCONT) in time",
    reports: CREATED,
    begin(desk) {
      desk.pause();
      const during = async () => {
        await desk.received(1);
        desk.resume();
      };
      return { during };
    },
  },
  ...(["IMMEDIATE", "EXCLUSIVE"] as const).flatMap((kind): Row[] => [
    {
      fault: `database locked (${kind}) beyond the timeout`,
      reports: `desk_timeout, ${MAY_EXIST}`,
      begin(desk) {
        const lock = desk.lockDatabase(kind);
        return { timeoutMs: SHORT_MS, lift: () => lock.release() };
      },
    },
    {
      fault: `database locked (${kind}), and released in time`,
      reports: CREATED,
      begin(desk) {
        const lock = desk.lockDatabase(kind);
        const during = async () => {
          await desk.serving();
          lock.release();
        };
        return { during };
      },
    },
  ]),
  {
    fault: "worker killed during the creation",
    reports: `desk_connection_lost, ${MAY_EXIST}`,
    begin(desk) {
      const lock = desk.lockDatabase("IMMEDIATE");
      const during = async () => {
        await desk.serving();
        await desk.killWorker();
        lock.release();
      };
      return { during };
    },
  },
  {
    fault: "worker killed as soon as the ticket exists",
    reports: CREATED,
    begin(desk) {
      const created = desk.created();
      return { during: () => created.then(() => desk.killWorker()) };
    },
  },
  {
    fault: "worker killed during the creation, database locked beyond the timeout",
    reports: `desk_connection_lost, ${MAY_EXIST}`,
    begin(desk) {
      const lock = desk.lockDatabase("EXCLUSIVE");
      const during = async () => {
        await desk.serving();
        await desk.killWorker();
      };
      return { timeoutMs: 2 * SHORT_MS, during, lift: () => lock.release() };
    },
  },
  {
    fault: "both workers killed during the creation",
    reports: `desk_connection_lost, ${MAY_EXIST}`,
    begin(desk) {
      const lock = desk.lockDatabase("IMMEDIATE");
      const during = async () => {
        await desk.serving();
        await desk.killWorker();
        await desk.killWorker();
        lock.release();
      };
      return { during };
    },
  },
  {
    fault: "user disabled",
    reports: `desk_refused_credentials, ${NO_TICKET}`,
    async begin(desk) {
      await desk.disableUser();
      return { lift: () => desk.enableUser() };
    },
  },
  {
    fault: "queue disabled",
    reports: `desk_refused_credentials, ${NO_TICKET}`,
    async begin(desk) {
      await desk.disableQueue();
      return { lift: () => desk.enableQueue() };
    },
  },
  {
    fault: "queue unknown",
    reports: `desk_refused_credentials, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_QUEUE: "Nowhere" } }),
  },
  {
    fault: "queue without rights",
    reports: `desk_refused_credentials, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_QUEUE: "Closed" } }),
  },
  {
    fault: "token unknown",
    reports: `desk_refused_credentials, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_TOKEN: "1-14-0123456789abcdef" } }),
  },
  {
    fault: "field no longer applied to the queue",
    reports: CREATED,
    async begin(desk) {
      await desk.dropField();
      return { lift: () => desk.restoreField() };
    },
  },
  {
    fault: "field unknown",
    reports: CREATED,
    begin: () => ({ env: { SUPPORT_DESK_REFERENCE_FIELD: "Nothing" } }),
  },
  {
    fault: "user may not see tickets",
    reports: CREATED,
    async begin(desk) {
      await desk.revokeRight("ShowTicket");
      return { lift: () => desk.grantRight("ShowTicket") };
    },
  },
  {
    fault: "base path wrong",
    // Request Tracker responds with a page of its own and 200.
    reports: `desk_unreadable, ${MAY_EXIST}`,
    begin: (desk) => ({ env: { SUPPORT_DESK_URL: `${desk.url}/rt` } }),
  },
  {
    fault: "TLS to a server that waits for HTTP",
    reports: `desk_timeout, ${MAY_EXIST}`,
    begin: (desk) => ({
      timeoutMs: SHORT_MS,
      env: { SUPPORT_DESK_URL: desk.url.replace("http:", "https:") },
    }),
  },
];

/** Faults between Deskhand and a desk that works. */
const NETWORK_FAULTS: Row[] = [
  {
    fault: "name not resolved",
    reports: `desk_unreachable, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_URL: "https://desk.invalid" } }),
  },
  {
    fault: "port blocked by the runtime",
    reports: `desk_unreachable, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_URL: "http://127.0.0.1:6000" } }),
  },
  {
    fault: "TLS to a server that responds in HTTP",
    reports: `desk_unreachable, ${NO_TICKET}`,
    begin() {
      const { url, close } = startRawServer(respondWith(400));
      return { env: { SUPPORT_DESK_URL: url.replace("http:", "https:") }, lift: close };
    },
  },
  {
    fault: "connection reset (RST) after the request",
    reports: `desk_connection_lost, ${MAY_EXIST}`,
    async begin() {
      const { url, close } = await startResettingServer();
      return { env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  },
  {
    fault: "HTML with 200 for everything",
    reports: `desk_unreadable, ${MAY_EXIST}`,
    begin() {
      const { url, close } = startRawServer(respondWith(200, "<h1>Welcome to our Wi-Fi</h1>"));
      return { env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  },
  {
    fault: "500 for everything",
    reports: `desk_error, ${MAY_EXIST}`,
    begin() {
      const { url, close } = startRawServer(respondWith(500));
      return { env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  },
];

/** The desk never receives the create request. */
const before = (behaviour: Behavior): Spoil => () => behaviour;

/** The desk has created the ticket. */
const after = (behaviour: Behavior): Spoil => async (forward) => {
  await forward();
  return behaviour;
};

function proxyRow(fault: string, reports: string, spoil: Spoil, timeoutMs = LONG_MS): Row {
  return {
    fault,
    reports,
    begin(desk) {
      const { url, close } = startProxy(desk.url, spoil);
      return { timeoutMs, env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  };
}

/** The create request still reaches the desk after the client has got its response, or none. */
function lateRow(fault: string, reports: string, behaviour: Behavior): Row {
  return {
    fault: `${fault}, the create request arriving later`,
    reports,
    begin(desk) {
      let arrive: (() => Promise<unknown>) | undefined;
      const { url, close } = startProxy(desk.url, (forward) => {
        arrive = forward;
        return behaviour;
      });
      const lift = async () => {
        await close();
        await arrive?.();
      };
      return { env: { SUPPORT_DESK_URL: url }, lift };
    },
  };
}

const LOGIN = "Location: /NoAuth/Login.html";
const CUT_201 = head(201, 100) + '{"type":"ticket","id":"1"';
const MEGABYTE = new Uint8Array(1024 * 1024).fill(0x20);

/** Faults of a proxy in front of the desk. */
const PROXY_FAULTS: Row[] = [
  proxyRow("500, no ticket created", `desk_error, ${NO_TICKET}`, before(respondWith(500))),
  proxyRow("500, ticket created", CREATED, after(respondWith(500))),
  ...[502, 503, 504, 520].flatMap((status) => [
    proxyRow(
      `${status}, no ticket created`,
      `desk_error, ${MAY_EXIST}`,
      before(respondWith(status)),
    ),
    proxyRow(`${status}, ticket created`, CREATED, after(respondWith(status))),
    lateRow(`${status}`, `desk_error, ${MAY_EXIST}`, respondWith(status)),
  ]),
  lateRow("connection closed", `desk_connection_lost, ${MAY_EXIST}`, closeAfter("")),
  lateRow("202", `desk_unreadable, ${MAY_EXIST}`, respondWith(202, "{}")),
  proxyRow("connection closed, ticket created", CREATED, after(closeAfter(""))),
  proxyRow("201 cut off, ticket created", CREATED, after(closeAfter(CUT_201))),
  proxyRow(
    "garbage for a response, ticket created",
    CREATED,
    after(closeAfter("\x16\x03\x01\r\n")),
  ),
  proxyRow("HTML with 200, ticket created", CREATED, after(respondWith(200, "<h1>Hello</h1>"))),
  proxyRow(
    "201 naming no number, ticket created",
    CREATED,
    after(respondWith(201, '{"id":"../1"}')),
  ),
  proxyRow(
    "201 of 30 MB, ticket created",
    CREATED,
    after(async (connection) => {
      await write(connection, head(201, 30 * MEGABYTE.length));
      for (let sent = 0; sent < 30; sent++) await write(connection, MEGABYTE);
    }),
  ),
  proxyRow(
    "stall in the headers, ticket created",
    `desk_timeout, ${MAY_EXIST}`,
    after(stallAfter("HTTP/1.1 201 Created\r\nX-A: ")),
    SHORT_MS,
  ),
  proxyRow(
    "stall in the body of a 201, ticket created",
    `desk_timeout, ${MAY_EXIST}`,
    after(stallAfter(CUT_201)),
    SHORT_MS,
  ),
  proxyRow(
    "a 201 that drips, ticket created",
    `desk_timeout, ${MAY_EXIST}`,
    after(drip(head(201, 4000), " ".repeat(4000))),
    SHORT_MS,
  ),
  proxyRow(
    "redirect to the login page",
    `desk_refused_credentials, ${NO_TICKET}`,
    before(respondWith(302, "", LOGIN)),
  ),
  proxyRow("404", `desk_rejected, ${NO_TICKET}`, before(respondWith(404))),
  proxyRow("413", `desk_rejected, ${NO_TICKET}`, before(respondWith(413))),
  proxyRow("429", `desk_rate_limited, ${NO_TICKET}`, before(respondWith(429))),
  {
    fault: "500, ticket created, field no longer applied to the queue",
    reports: CREATED,
    async begin(desk) {
      await desk.dropField();
      const { url, close } = startProxy(desk.url, after(respondWith(500)));
      const lift = () => Promise.all([close(), desk.restoreField()]);
      return { env: { SUPPORT_DESK_URL: url }, lift };
    },
  },
];

/** Faults after which the desk is permanently unreachable, in this order. */
const LAST_FAULTS: Row[] = [
  {
    fault: "token revoked",
    reports: `desk_refused_credentials, ${NO_TICKET}`,
    async begin(desk) {
      await desk.revokeToken();
      return { isFinal: true };
    },
  },
  {
    fault: "server killed with its workers during the creation",
    reports: `desk_connection_lost, ${MAY_EXIST}`,
    begin(desk) {
      desk.pause();
      const during = async () => {
        await desk.received(1);
        await desk.kill();
      };
      return { during, isFinal: true };
    },
  },
  {
    fault: "server not running",
    reports: `desk_unreachable, ${NO_TICKET}`,
    begin: () => ({ isFinal: true }),
  },
];

/** Every fault, in an order that leaves the desk working until the last ones. */
export const FAULTS: Row[] = [
  ...DESK_FAULTS,
  ...NETWORK_FAULTS,
  ...PROXY_FAULTS,
  ...LAST_FAULTS,
];
