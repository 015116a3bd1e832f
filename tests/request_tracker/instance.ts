/**
 * A real, private Request Tracker 5 on loopback, with everything it writes in one temporary
 * directory, and the faults a desk can have. `install.sh` installs what it needs.
 */
import { DatabaseSync } from "node:sqlite";
import { type RequestTrackerOptions, type Server, startServer } from "./server.ts";
import { findTickets, readTicket, type Ticket } from "./tickets.ts";

const PATIENCE_MS = 30_000;

/** Holds the database's lock until it is released. */
export interface DatabaseLock extends Disposable {
  release(): void;
}

/**
 * Starts a Request Tracker with a queue for `token`'s user, and resolves when it answers (in about
 * four seconds). It ends with `stop()`, with `await using`, or with the process that started it.
 */
export async function startRequestTracker(
  options: RequestTrackerOptions = {},
): Promise<RequestTracker> {
  return new RequestTracker(await startServer(options));
}

/** See {@linkcode startRequestTracker}. */
export class RequestTracker implements AsyncDisposable {
  readonly url: string;
  /** The token of desk-bot, who may create, find and change tickets in `queue` and in Escalated. */
  readonly token: string;
  readonly queue = "Support";
  readonly referenceField = "SupportRef";
  /** The server's process, and its process group. */
  readonly pid: number;
  readonly directory: string;
  /** The password of `agent` at the web login. */
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

  /** Ends every process, paused or not, and removes the directory. May be called again. */
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

  /** Freezes the server with its workers: connections are accepted, nothing is answered. */
  pause(): void {
    Deno.kill(-this.pid, "SIGSTOP");
  }

  /** Thaws the server; it then works off what it was asked in the meantime. */
  resume(): void {
    Deno.kill(-this.pid, "SIGCONT");
  }

  /**
   * Kills one worker, the one that is serving a request where there is one, and resolves when it is
   * dead. The server replaces it within about a second.
   */
  async killWorker(): Promise<void> {
    await until(() => this.#workers().length > 0);
    const [busiest] = this.#workers().sort((a, b) => sockets(b) - sockets(a));
    Deno.kill(busiest!, "SIGKILL");
    await until(() => !this.#workers().includes(busiest!));
  }

  /** Resolves when a worker is serving a request, which a lock on the database then holds up. */
  serving(): Promise<void> {
    return until(() => this.#workers().some((worker) => sockets(worker) > 1));
  }

  /** Resolves when one more ticket is there than when it was called. */
  created(): Promise<void> {
    const count = () => this.tickets("").length; // the empty text is in every subject
    const before = count();
    return until(() => count() > before);
  }

  /** Resolves when so many requests, or more, lie before the paused server. */
  received(count: number): Promise<void> {
    const unread = () => connections(this.#port).filter(({ isUnread }) => isUnread);
    return until(() => unread().length >= count);
  }

  /** Resolves when the server has worked off all that it was asked, whoever still waits for it. */
  idle(): Promise<void> {
    return until(() => connections(this.#port).length === 0);
  }

  /** Kills the server with its workers, for good: its port refuses from then on. */
  async kill(): Promise<void> {
    await Deno.writeTextFile(`${this.directory}/stopping`, ""); // it was meant: no complaint
    Deno.kill(-this.pid, "SIGKILL");
  }

  /**
   * Locks the database against writing ("IMMEDIATE") or against reading as well ("EXCLUSIVE").
   * Request Tracker waits 30 s for a lock, and then gives up. A search needs to write as well where
   * it is the first use of the token within a second.
   */
  lockDatabase(kind: "IMMEDIATE" | "EXCLUSIVE"): DatabaseLock {
    this.#database.exec(`BEGIN ${kind}`);
    const release = () => {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
    };
    return { release, [Symbol.dispose]: release };
  }

  /** Deletes desk-bot's token, for good. */
  revokeToken(): Promise<void> {
    return this.#administer("revoke-token");
  }

  disableUser(): Promise<void> {
    return this.#administer("disable-user");
  }

  enableUser(): Promise<void> {
    return this.#administer("enable-user");
  }

  /** Sets the time zone in which desk-bot's queries name days. */
  setTimeZone(name: string): Promise<void> {
    return this.#administer("set-time-zone", name);
  }

  disableQueue(): Promise<void> {
    return this.#administer("disable-queue");
  }

  enableQueue(): Promise<void> {
    return this.#administer("enable-queue");
  }

  /** Makes the custom field no longer apply to the queue. */
  dropField(): Promise<void> {
    return this.#administer("drop-field");
  }

  restoreField(): Promise<void> {
    return this.#administer("restore-field");
  }

  /** Takes from desk-bot the right to see tickets. The desk then says that there are none. */
  hideTickets(): Promise<void> {
    return this.#administer("hide-tickets");
  }

  showTickets(): Promise<void> {
    return this.#administer("show-tickets");
  }

  /** A page as the agent sees it after logging in. */
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

  /** The tickets that carry `reference` in the custom field or in the subject, oldest first. */
  tickets(reference: string): string[] {
    return findTickets(this.#database, this.referenceField, reference);
  }

  /** One ticket as it is stored, whatever state the server is in. */
  ticket(id: string): Ticket {
    return readTicket(this.#database, this.referenceField, id);
  }

  /** Every message that Request Tracker would have sent, as it would have been sent. */
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

/** How many sockets a process has open: one more while it serves a request. */
function sockets(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return [...Deno.readDirSync(directory)]
    .filter(({ name }) => Deno.readLinkSync(`${directory}/${name}`).startsWith("socket:")).length;
}

/** Connections whose client waits at `port`, or has hung up without being heard there yet. */
function connections(port: number): { isUnread: boolean }[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return Deno.readTextFileSync("/proc/net/tcp").split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) =>
      address?.endsWith(local) && ["01", "03", "08"].includes(state!)
    )
    .map(([, , , , queues]) => ({ isUnread: !queues!.endsWith(":00000000") }));
}

/** For what no event tells: nothing of another process can be awaited. */
async function until(condition: () => boolean): Promise<void> {
  for (const giveUp = Date.now() + PATIENCE_MS; !condition();) {
    if (Date.now() > giveUp) throw new Error("Waited too long for the Request Tracker");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
