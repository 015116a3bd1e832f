/**
 * A real Request Tracker 5 on loopback, which writes only to one temporary directory, and the
 * faults that a desk can have. `install.sh` installs what it needs.
 */
import { DatabaseSync } from "node:sqlite";
import { waitFor } from "../support/wait_for.ts";
import { type RequestTrackerOptions, type Server, startServer } from "./server.ts";
import { findTickets, readTicket, type Ticket } from "./tickets.ts";

/** No event of another process can be awaited, so its state is read every few milliseconds. */
const WAIT = { timeoutMs: 30_000, intervalMs: 5 };

/** A lock on the database, held until it is released. */
export interface DatabaseLock extends Disposable {
  release(): void;
}

/**
 * Starts a Request Tracker with a queue for the user of `token`, and resolves when it responds (in
 * about four seconds). It ends with `stop()`, with `await using`, or with the process that started
 * it.
 */
export async function startRequestTracker(
  options: RequestTrackerOptions = {},
): Promise<RequestTracker> {
  return new RequestTracker(await startServer(options));
}

/** See {@linkcode startRequestTracker}. */
export class RequestTracker implements AsyncDisposable {
  readonly url: string;
  /**
   * The token of desk-bot, which may create, find and change tickets in `queue` and in Escalated.
   */
  readonly token: string;
  readonly queue = "Support";
  readonly referenceField = "SupportRef";
  /** The server's process ID, and that of its process group. */
  readonly pid: number;
  readonly directory: string;
  /** The password of `agent` for the web login. */
  readonly agentPassword: string;
  readonly #server: Server;
  readonly #database: DatabaseSync;
  #stopped?: Promise<void>;

  /** Use {@linkcode startRequestTracker}. */
  constructor(server: Server) {
    this.url = server.url;
    this.token = server.token;
    this.pid = server.pid;
    this.directory = server.directory;
    this.agentPassword = server.agentPassword;
    this.#server = server;
    this.#database = new DatabaseSync(`${server.directory}/rt.sqlite`, { timeout: 5000 });
  }

  /** Ends every process, paused or not, and removes the directory. Can be called repeatedly. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.resolve().then(() => {
      this.#database.close();
      return this.#server.end();
    });
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Pauses the server and its workers: connections are accepted and get no response. */
  pause(): void {
    Deno.kill(-this.pid, "SIGSTOP");
  }

  /** Resumes the server, which then processes the requests that arrived in the meantime. */
  resume(): void {
    Deno.kill(-this.pid, "SIGCONT");
  }

  /**
   * Kills one worker, preferably one that is processing a request, and resolves when it has ended.
   * The server replaces it within about a second.
   */
  async killWorker(): Promise<void> {
    await waitFor("a worker", () => this.#workers().length > 0, Boolean, WAIT);
    const [busiest] = this.#workers().sort((a, b) => countSockets(b) - countSockets(a));
    Deno.kill(busiest!, "SIGKILL");
    await waitFor("its end", () => !this.#workers().includes(busiest!), Boolean, WAIT);
  }

  /** Resolves when a worker is processing a request, which a lock on the database then blocks. */
  async serving(): Promise<void> {
    const isServing = () => this.#workers().some((worker) => countSockets(worker) > 1);
    await waitFor("a worker processes a request", isServing, Boolean, WAIT);
  }

  /** Resolves when one more ticket exists than at the time of the call. */
  async created(): Promise<void> {
    const count = () => this.tickets("").length; // every subject contains the empty string
    const before = count();
    await waitFor("another ticket", () => count() > before, Boolean, WAIT);
  }

  /** Resolves when at least `count` requests are waiting for the paused server. */
  async received(count: number): Promise<void> {
    const unread = () => connections(this.#port).filter(({ isUnread }) => isUnread);
    await waitFor(`${count} requests`, () => unread().length >= count, Boolean, WAIT);
  }

  /** Resolves when the server has processed all requests, even if their clients are gone. */
  async idle(): Promise<void> {
    await waitFor("no requests", () => connections(this.#port).length === 0, Boolean, WAIT);
  }

  /** Kills the server and its workers permanently: its port then refuses connections. */
  async kill(): Promise<void> {
    // Tells run.sh that the end is intended, so that it prints no log.
    await Deno.writeTextFile(`${this.directory}/stopping`, "");
    Deno.kill(-this.pid, "SIGKILL");
  }

  /**
   * Locks the database against writes ("IMMEDIATE") or against reads, too ("EXCLUSIVE"). Request
   * Tracker waits 30 s for a lock and then fails. A search also writes, if it is the first use of
   * the token within a second.
   */
  lockDatabase(kind: "IMMEDIATE" | "EXCLUSIVE"): DatabaseLock {
    this.#database.exec(`BEGIN ${kind}`);
    const release = () => {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
    };
    return { release, [Symbol.dispose]: release };
  }

  /** Deletes desk-bot's token permanently. */
  revokeToken(): Promise<void> {
    return this.#administer("revoke-token");
  }

  disableUser(): Promise<void> {
    return this.#administer("disable-user");
  }

  enableUser(): Promise<void> {
    return this.#administer("enable-user");
  }

  /** Sets the time zone of the dates in desk-bot's queries. */
  setTimeZone(name: string): Promise<void> {
    return this.#administer("set-time-zone", name);
  }

  disableQueue(): Promise<void> {
    return this.#administer("disable-queue");
  }

  enableQueue(): Promise<void> {
    return this.#administer("enable-queue");
  }

  /** Removes the custom field from the queue. */
  dropField(): Promise<void> {
    return this.#administer("drop-field");
  }

  restoreField(): Promise<void> {
    return this.#administer("restore-field");
  }

  /** Revokes a right of desk-bot on its queues. Without ShowTicket, searches find nothing. */
  revokeRight(right: string): Promise<void> {
    return this.#administer("revoke-right", right);
  }

  grantRight(right: string): Promise<void> {
    return this.#administer("grant-right", right);
  }

  /** Returns a page as the agent sees it after logging in. */
  async readAsAgent(url: string): Promise<string> {
    const login = await fetch(this.url, {
      method: "POST",
      body: new URLSearchParams({ user: "agent", pass: this.agentPassword }),
    });
    await login.body?.cancel();
    const cookie = login.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
    const page = await fetch(url, { headers: { cookie } });
    return await page.text();
  }

  /** Returns the tickets with `reference` in the custom field or the subject, oldest first. */
  tickets(reference: string): string[] {
    return findTickets(this.#database, this.referenceField, reference);
  }

  /** Returns one ticket as it is stored, whatever state the server is in. */
  ticket(id: string): Ticket {
    return readTicket(this.#database, this.referenceField, id);
  }

  /** Returns every message that Request Tracker would have sent. */
  async mail(): Promise<string[]> {
    const text = await Deno.readTextFile(`${this.directory}/mail`).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    });
    return text.split("\n\x00\n").filter(Boolean);
  }

  get #port(): number {
    return Number(new URL(this.url).port);
  }

  #workers(): number[] {
    return Deno.readTextFileSync(`/proc/${this.pid}/task/${this.pid}/children`)
      .split(" ").filter(Boolean).map(Number);
  }

  async #administer(operation: string, ...values: string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command("perl", {
      args: [`${import.meta.dirname}/admin.pl`, operation, ...values],
      env: this.#server.env,
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
}

/** Counts the open sockets of a process: one more while it processes a request. */
function countSockets(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  try {
    return [...Deno.readDirSync(directory)]
      .filter(({ name }) => Deno.readLinkSync(`${directory}/${name}`).startsWith("socket:")).length;
  } catch (error) {
    // The process ended, or closed a file, between two of these calls.
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Connections to `port` whose client is waiting, or has hung up without the server noticing. */
function connections(port: number): { isUnread: boolean }[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return Deno.readTextFileSync("/proc/net/tcp").split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) =>
      address?.endsWith(local) && ["01", "03", "08"].includes(state!)
    )
    .map(([, , , , queues]) => ({ isUnread: !queues!.endsWith(":00000000") }));
}
