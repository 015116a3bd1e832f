/** Faults of a real Request Tracker and of what stands before it, and what Deskhand must say. */
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

/** A fault that has begun. */
export interface Fault {
  /** Environment variables that lead Deskhand to it. */
  env?: Record<string, string>;
  /** Milliseconds for the desk, where they are to run out. */
  budget?: number;
  /** Goes on with the fault while the submission is under way. */
  during?(): Promise<void>;
  /** Ends the fault, once the submission was answered. */
  lift?(): unknown;
  /** Whether the desk stays out of reach for good. */
  isFinal?: true;
}

export interface Row {
  fault: string;
  /** What Deskhand must say. */
  says: string;
  begin(desk: RequestTracker): Fault | Promise<Fault>;
}

const SHORT_MS = 1000;
/** More than everything takes whose time is not to run out. */
export const LONG_MS = 5000;
const CREATED = "created";
export const MAY_EXIST = "a ticket may exist";
export const NO_TICKET = "no ticket";

/** Faults of the real desk. */
const DESK_FAULTS: Row[] = [
  { fault: "none", says: CREATED, begin: () => ({}) },
  {
    fault: "server paused (SIGSTOP) until after the time",
    says: `desk_timeout, ${MAY_EXIST}`,
    begin(desk) {
      desk.pause();
      return { budget: SHORT_MS, lift: () => desk.resume() };
    },
  },
  {
    fault: "server paused, and resumed (SIGCONT) within the time",
    says: CREATED,
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
      fault: `database locked (${kind}) until after the time`,
      says: `desk_timeout, ${MAY_EXIST}`,
      begin(desk) {
        const lock = desk.lockDatabase(kind);
        return { budget: SHORT_MS, lift: () => lock.release() };
      },
    },
    {
      fault: `database locked (${kind}), and released within the time`,
      says: CREATED,
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
    says: `desk_connection_lost, ${MAY_EXIST}`,
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
    fault: "worker killed as soon as the ticket is there",
    says: CREATED,
    begin(desk) {
      const created = desk.created();
      return { during: () => created.then(() => desk.killWorker()) };
    },
  },
  {
    fault: "worker killed during the creation, database locked until after the time",
    says: `desk_connection_lost, ${MAY_EXIST}`,
    begin(desk) {
      const lock = desk.lockDatabase("EXCLUSIVE");
      const during = async () => {
        await desk.serving();
        await desk.killWorker();
      };
      return { budget: 2 * SHORT_MS, during, lift: () => lock.release() };
    },
  },
  {
    fault: "both workers killed during the creation",
    says: `desk_connection_lost, ${MAY_EXIST}`,
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
    says: `desk_refused_credentials, ${NO_TICKET}`,
    async begin(desk) {
      await desk.disableUser();
      return { lift: () => desk.enableUser() };
    },
  },
  {
    fault: "queue disabled",
    says: `desk_refused_credentials, ${NO_TICKET}`,
    async begin(desk) {
      await desk.disableQueue();
      return { lift: () => desk.enableQueue() };
    },
  },
  {
    fault: "queue unknown",
    says: `desk_refused_credentials, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_QUEUE: "Nowhere" } }),
  },
  {
    fault: "queue without rights",
    says: `desk_refused_credentials, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_QUEUE: "Closed" } }),
  },
  {
    fault: "token unknown",
    says: `desk_refused_credentials, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_TOKEN: "1-14-0123456789abcdef" } }),
  },
  {
    fault: "field no longer applied to the queue",
    says: CREATED,
    async begin(desk) {
      await desk.dropField();
      return { lift: () => desk.restoreField() };
    },
  },
  {
    fault: "field unknown",
    says: CREATED,
    begin: () => ({ env: { SUPPORT_DESK_REFERENCE_FIELD: "Nothing" } }),
  },
  {
    fault: "user may not see tickets",
    says: CREATED,
    async begin(desk) {
      await desk.hideTickets();
      return { lift: () => desk.showTickets() };
    },
  },
  {
    fault: "base path wrong",
    // Request Tracker answers with a page of its own, and 200.
    says: `desk_unreadable, ${MAY_EXIST}`,
    begin: (desk) => ({ env: { SUPPORT_DESK_URL: `${desk.url}/rt` } }),
  },
  {
    fault: "TLS where the server waits for HTTP",
    says: `desk_timeout, ${MAY_EXIST}`,
    begin: (desk) => ({
      budget: SHORT_MS,
      env: { SUPPORT_DESK_URL: desk.url.replace("http:", "https:") },
    }),
  },
];

/** Faults on the way to a desk that itself is well. */
const WAY_FAULTS: Row[] = [
  {
    fault: "name not resolved",
    says: `desk_unreachable, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_URL: "https://desk.invalid" } }),
  },
  {
    fault: "port blocked by the runtime",
    says: `desk_unreachable, ${NO_TICKET}`,
    begin: () => ({ env: { SUPPORT_DESK_URL: "http://127.0.0.1:6000" } }),
  },
  {
    fault: "TLS where the server answers in HTTP",
    says: `desk_unreachable, ${NO_TICKET}`,
    begin() {
      const { url, close } = startRawServer(respondWith(400));
      return { env: { SUPPORT_DESK_URL: url.replace("http:", "https:") }, lift: close };
    },
  },
  {
    fault: "connection reset (RST) once the request has come",
    says: `desk_connection_lost, ${MAY_EXIST}`,
    async begin() {
      const { url, close } = await startResettingServer();
      return { env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  },
  {
    fault: "HTML with 200 for everything",
    says: `desk_unreadable, ${MAY_EXIST}`,
    begin() {
      const { url, close } = startRawServer(respondWith(200, "<h1>Welcome to our Wi-Fi</h1>"));
      return { env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  },
  {
    fault: "500 for everything",
    says: `desk_error, ${MAY_EXIST}`,
    begin() {
      const { url, close } = startRawServer(respondWith(500));
      return { env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  },
];

/** The desk never hears of the creation. */
const before = (behaviour: Behavior): Spoil => () => behaviour;

/** The desk has made the ticket. */
const after = (behaviour: Behavior): Spoil => async (forward) => {
  await forward();
  return behaviour;
};

function proxyRow(fault: string, says: string, spoil: Spoil, budget = LONG_MS): Row {
  return {
    fault,
    says,
    begin(desk) {
      const { url, close } = startProxy(desk.url, spoil);
      return { budget, env: { SUPPORT_DESK_URL: url }, lift: close };
    },
  };
}

/** The creation is still on its way to the desk when the client is told `status`, or nothing. */
function lateRow(fault: string, says: string, behaviour: Behavior): Row {
  return {
    fault: `${fault}, the creation still on its way`,
    says,
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

/** Faults of a proxy that stands before the desk. */
const PROXY_FAULTS: Row[] = [
  proxyRow("500, nothing made", `desk_error, ${NO_TICKET}`, before(respondWith(500))),
  proxyRow("500, ticket made", CREATED, after(respondWith(500))),
  ...[502, 503, 504, 520].flatMap((status) => [
    proxyRow(`${status}, nothing made`, `desk_error, ${MAY_EXIST}`, before(respondWith(status))),
    proxyRow(`${status}, ticket made`, CREATED, after(respondWith(status))),
    lateRow(`${status}`, `desk_error, ${MAY_EXIST}`, respondWith(status)),
  ]),
  lateRow("connection closed", `desk_connection_lost, ${MAY_EXIST}`, closeAfter("")),
  lateRow("202", `desk_unreadable, ${MAY_EXIST}`, respondWith(202, "{}")),
  proxyRow("connection closed, ticket made", CREATED, after(closeAfter(""))),
  proxyRow("201 cut off, ticket made", CREATED, after(closeAfter(CUT_201))),
  proxyRow("garbage for an answer, ticket made", CREATED, after(closeAfter("\x16\x03\x01\r\n"))),
  proxyRow("HTML with 200, ticket made", CREATED, after(respondWith(200, "<h1>Hello</h1>"))),
  proxyRow("201 naming no number, ticket made", CREATED, after(respondWith(201, '{"id":"../1"}'))),
  proxyRow(
    "201 of 30 MB, ticket made",
    CREATED,
    after(async (connection) => {
      await write(connection, head(201, 30 * MEGABYTE.length));
      for (let sent = 0; sent < 30; sent++) await write(connection, MEGABYTE);
    }),
  ),
  proxyRow(
    "stall in the headers, ticket made",
    `desk_timeout, ${MAY_EXIST}`,
    after(stallAfter("HTTP/1.1 201 Created\r\nX-A: ")),
    SHORT_MS,
  ),
  proxyRow(
    "stall in the body of a 201, ticket made",
    `desk_timeout, ${MAY_EXIST}`,
    after(stallAfter(CUT_201)),
    SHORT_MS,
  ),
  proxyRow(
    "a 201 that drips, ticket made",
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
    fault: "500, ticket made, field no longer applied to the queue",
    says: CREATED,
    async begin(desk) {
      await desk.dropField();
      const { url, close } = startProxy(desk.url, after(respondWith(500)));
      const lift = () => Promise.all([close(), desk.restoreField()]);
      return { env: { SUPPORT_DESK_URL: url }, lift };
    },
  },
];

/** Faults after which the desk is gone for good, in this order. */
const LAST_FAULTS: Row[] = [
  {
    fault: "token revoked",
    says: `desk_refused_credentials, ${NO_TICKET}`,
    async begin(desk) {
      await desk.revokeToken();
      return { isFinal: true };
    },
  },
  {
    fault: "server killed with its workers during the creation",
    says: `desk_connection_lost, ${MAY_EXIST}`,
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
    says: `desk_unreachable, ${NO_TICKET}`,
    begin: () => ({ isFinal: true }),
  },
];

/** Every fault, in an order that leaves the desk well until the last ones. */
export const FAULTS: Row[] = [
  ...DESK_FAULTS,
  ...WAY_FAULTS,
  ...PROXY_FAULTS,
  ...LAST_FAULTS,
];
