import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import { StoreHealth } from "./health.ts";

/** Delay between two attempts to reach an unresponsive server, in milliseconds. */
const RETRY_DELAY_MS = 1_000;
/** Delay before a connection that has never responded is replaced: the server itself may be slow. */
const FIRST_RESPONSE_GRACE_MS = 5_000;
/**
 * Maximum number of replaced sessions with pending calls. Such a call holds memory until TCP gives
 * up, which takes a quarter of an hour.
 */
const MAX_ABANDONED_SESSIONS = 5;

/** A KV handle, which may still be opening, and the numbers of its calls. */
export interface Session {
  kv: Deno.Kv | Promise<Deno.Kv>;
  /** Calls that have timed out and are still pending. */
  abandonedCalls: number;
  /** Calls that have succeeded, including those that had timed out. */
  responses: number;
}

/** Returns a session whose calls have not started. */
export function newSession(kv: Session["kv"]): Session {
  const session: Session = { kv, abandonedCalls: 0, responses: 0 };
  // Calls to an opened handle start immediately.
  if (kv instanceof Promise) kv.then((opened) => session.kv = opened, () => {});
  return session;
}

export interface ConnectionOptions {
  clock: Pick<Clock, "elapsed" | "wait">;
  log?: Pick<Log, "warn">;
  /** Opens another handle to the same store, or resolves with null if it cannot be reached. */
  reopen?: () => Promise<Deno.Kv | null>;
}

/**
 * A handle to the store that is replaced when its connection is lost without an error. Deno's KV
 * Connect client sends every call through one connection. If the network drops packets, TCP doubles
 * the delay before each retransmission: the client hung for 25 s after an outage of 30 s, and it
 * hangs for minutes after a longer one. A new handle connects within milliseconds.
 *
 * Its state is *connected* or *reconnecting*. Reconnecting starts when a call times out and no call
 * of the session has succeeded since that call started. It ends when a new handle has been opened,
 * or when the present one responds.
 */
export class KvConnection {
  readonly health: StoreHealth;
  #session: Session;
  #abandoned = new Set<Session>();
  #clock: Pick<Clock, "wait">;
  #log: Pick<Log, "warn"> | undefined;
  #reopen: (() => Promise<Deno.Kv | null>) | null;
  #isReconnecting = false;

  constructor(kv: Session["kv"], { clock, log, reopen }: ConnectionOptions) {
    this.health = new StoreHealth(clock);
    this.#session = newSession(kv);
    this.#clock = clock;
    this.#log = log;
    this.#reopen = reopen ?? null;
  }

  /** Whether the handle that new calls use has been opened. */
  get isOpen(): boolean {
    return !(this.#session.kv instanceof Promise);
  }

  /** The session that new calls use. */
  get session(): Session {
    return this.#session;
  }

  /** The present session, and those replaced ones that may have pending calls. */
  get sessions(): Session[] {
    return [this.#session, ...this.#abandoned];
  }

  /**
   * Records a call that timed out. If no call of its session has succeeded since it started, the
   * connection may be lost, and a new one is opened as soon as the server can be reached.
   *
   * @param responses the session's number of successful calls when the call started
   */
  timedOut(session: Session, responses: number): void {
    if (this.#reopen === null || this.#isReconnecting) return;
    if (session !== this.#session || session.responses > responses) return;
    this.#isReconnecting = true;
    this.#reconnect(session, this.#reopen).finally(() => this.#isReconnecting = false);
  }

  /** Resolves once there is a new session, or the present one has responded. Never rejects. */
  async #reconnect(session: Session, reopen: () => Promise<Deno.Kv | null>): Promise<void> {
    const { responses } = session;
    if (responses === 0) await this.#clock.wait(FIRST_RESPONSE_GRACE_MS);
    while (session.responses === responses) {
      const kv = this.#mayAbandonSession() ? await reopen() : null;
      if (kv !== null) {
        if (session.abandonedCalls > 0) this.#abandoned.add(session);
        this.#session = newSession(kv);
        this.#log?.warn(
          "store_reconnected",
          "Opened a new connection to KV, because calls timed out",
        );
        break;
      }
      await this.#clock.wait(RETRY_DELAY_MS);
    }
    this.health.discardFailures();
  }

  #mayAbandonSession(): boolean {
    for (const session of this.#abandoned) {
      if (session.abandonedCalls === 0) this.#abandoned.delete(session);
    }
    return this.#abandoned.size < MAX_ABANDONED_SESSIONS;
  }
}
