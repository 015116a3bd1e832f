import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import { StoreHealth } from "./health.ts";

/** Between two attempts to reach a server that does not respond, in milliseconds. */
const RETRY_DELAY_MS = 1_000;
/** Before a connection is replaced that has never responded: the server itself may be slow. */
const FIRST_RESPONSE_GRACE_MS = 5_000;
/**
 * Sessions that were replaced before all their calls had ended. Such a call holds memory until TCP
 * gives up, which takes a quarter of an hour.
 */
const MAX_ABANDONED_SESSIONS = 5;

/** One opened handle, or one that is being opened, and what its calls have come to. */
export interface Session {
  kv: Deno.Kv | Promise<Deno.Kv>;
  /** Calls that nobody waits for any more, though they have not ended. */
  abandonedCalls: number;
  /** Calls that have succeeded, however late. */
  responses: number;
}

export function newSession(kv: Session["kv"]): Session {
  return { kv, abandonedCalls: 0, responses: 0 };
}

export interface ConnectionOptions {
  clock: Pick<Clock, "elapsed" | "wait">;
  log?: Pick<Log, "warn">;
  /** Opens another handle of the same store, or resolves with null if it cannot be reached. */
  reopen?: () => Promise<Deno.Kv | null>;
}

/**
 * The store's handle, which is replaced when its connection is lost without notice. Deno's client
 * of KV Connect sends every call through one connection. If the network drops packets, TCP waits
 * twice as long before each retransmission, so that the client hung for 25 s after an outage of
 * 30 s, and it hangs for minutes after a longer one. A new handle connects within milliseconds.
 */
export class KvConnection {
  readonly health: StoreHealth;
  #session: Session;
  #abandoned = new Set<Session>();
  #clock: Pick<Clock, "wait">;
  #log: Pick<Log, "warn"> | undefined;
  #reopen: (() => Promise<Deno.Kv | null>) | null;
  #isReconnecting = false;
  #isOpen = false;

  constructor(kv: Session["kv"], { clock, log, reopen }: ConnectionOptions) {
    this.health = new StoreHealth(clock);
    this.#session = newSession(kv);
    Promise.resolve(kv).then(() => this.#isOpen = true, () => {});
    this.#clock = clock;
    this.#log = log;
    this.#reopen = reopen ?? null;
  }

  /** Whether the first handle has been opened. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The handle that calls use from now on. */
  get session(): Session {
    return this.#session;
  }

  /** The sessions whose calls have not all ended. */
  get sessions(): Session[] {
    return [this.#session, ...this.#abandoned];
  }

  /**
   * Records a call that timed out. If none of its session has succeeded since it started,
   * the connection may be lost: a new one is opened as soon as the server can be reached.
   *
   * @param responses How many calls of the session had succeeded when the call started.
   */
  timedOut(session: Session, responses: number): void {
    if (this.#reopen === null || this.#isReconnecting) return;
    if (session !== this.#session || session.responses > responses) return;
    this.#isReconnecting = true;
    this.#reconnect(session, this.#reopen).finally(() => this.#isReconnecting = false);
  }

  /** Ends with a new session, or with a sign of life of the present one. Never rejects. */
  async #reconnect(session: Session, reopen: () => Promise<Deno.Kv | null>): Promise<void> {
    const { responses } = session;
    if (responses === 0) await this.#clock.wait(FIRST_RESPONSE_GRACE_MS);
    while (session.responses === responses) {
      const kv = this.#hasRoom() ? await reopen() : null;
      if (kv !== null) {
        if (session.abandonedCalls > 0) this.#abandoned.add(session);
        this.#session = newSession(kv);
        this.#log?.warn(
          "store_reconnected",
          "Opened a new connection to KV: calls had no response",
        );
        break;
      }
      await this.#clock.wait(RETRY_DELAY_MS);
    }
    this.health.discardFailures();
  }

  #hasRoom(): boolean {
    for (const session of this.#abandoned) {
      if (session.abandonedCalls === 0) this.#abandoned.delete(session);
    }
    return this.#abandoned.size < MAX_ABANDONED_SESSIONS;
  }
}
