import { CREATED, MAY_EXIST, NO_TICKET, type Row, SHORT_MS } from "./fault.ts";

/** Faults of the real desk. */
export const DESK_FAULTS: Row[] = [
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

/** Faults after which the desk is permanently unreachable, in this order. */
export const LAST_FAULTS: Row[] = [
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
