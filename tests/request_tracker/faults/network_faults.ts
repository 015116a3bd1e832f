import { respondWith, startRawServer, startResettingServer } from "../../support/raw_server.ts";
import { MAY_EXIST, NO_TICKET, type Row } from "./fault.ts";

/** Faults between Deskhand and a desk that works. */
export const NETWORK_FAULTS: Row[] = [
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
