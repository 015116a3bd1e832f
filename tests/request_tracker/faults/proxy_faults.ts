import {
  type Behavior,
  closeAfter,
  drip,
  head,
  respondWith,
  stallAfter,
  write,
} from "../../support/raw_server.ts";
import { type Spoil, startProxy } from "../proxy.ts";
import { CREATED, LONG_MS, MAY_EXIST, NO_TICKET, type Row, SHORT_MS } from "./fault.ts";

/** The desk never receives the create request. */
const before = (behavior: Behavior): Spoil => () => behavior;

/** The desk has created the ticket. */
const after = (behavior: Behavior): Spoil => async (forward) => {
  await forward();
  return behavior;
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
function lateRow(fault: string, reports: string, behavior: Behavior): Row {
  return {
    fault: `${fault}, the create request arriving later`,
    reports,
    begin(desk) {
      let arrive: (() => Promise<unknown>) | undefined;
      const { url, close } = startProxy(desk.url, (forward) => {
        arrive = forward;
        return behavior;
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
export const PROXY_FAULTS: Row[] = [
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
