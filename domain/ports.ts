import type { AuditEvent, Erasure } from "./model/audit.ts";
import type { Context } from "./model/context.ts";
import type { Failure } from "./model/failure.ts";
import type { Handoff, Ticket } from "./handoff/state.ts";
import type { Reference } from "./model/reference.ts";
import type { Actor, SupportRequest } from "./model/support_request.ts";

/** A support request as the store has it: where it sorts in its context, and its revision. */
export interface Stored {
  request: SupportRequest;
  /** Sort key within the context: microseconds, unique and monotonic. */
  ts: number;
  versionstamp: string;
  /**
   * The record as it is stored, with fields that this version does not know. Opaque to everything
   * but the store, which writes it back with a finalization so that none of them is lost.
   */
  record: unknown;
  /**
   * Whether a newer version wrote it: `request` is what this version understands of it, and it must
   * not be written.
   */
  isNewer: boolean;
}

/** A finalized handoff. */
export type Settled = Extract<Handoff, { status: "created" | "failed" }>;

/** Whose idempotency key it is: the same key of another actor or tenant is another key. */
export interface KeyScope {
  tenantId: string;
  actorId: string;
  key: string;
}

/** An idempotency key to be written with a request. */
export interface KeyClaim extends KeyScope {
  fingerprint: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** The versionstamp of the expired record that this one replaces, or null. */
  replaces: string | null;
}

export type KeyLookup =
  | { outcome: "free"; versionstamp: string | null }
  | { outcome: "taken"; fingerprint: string; fingerprintVersion: number; stored: Stored };

export type Appended =
  | { outcome: "stored"; stored: Stored }
  | { outcome: "key_taken" };

/** Where an audit page goes on: the position of the last event that was read. */
export interface AuditPosition {
  ts: number;
  reference: string;
  event: string;
}

export interface AuditPage {
  events: AuditEvent[];
  /** How many events were left out, if any, because only a newer version knows what they say. */
  unknown?: number;
  /** Of the first page: the latest erasures in the tenant, newest first, if there were any. */
  erasures?: Erasure[];
  /** Null where no older event is left. */
  next: AuditPosition | null;
}

/** A lease on the right to resume one interrupted handoff. */
export interface Lease {
  reference: Reference;
  versionstamp: string;
}

export type LeaseAttempt =
  | { outcome: "taken"; lease: Lease }
  /** Another has it, until then at the latest (milliseconds since the epoch). */
  | { outcome: "held"; until: number };

/** A store that failed or did not answer in time. What it was asked to write may be there. */
export class StoreUnavailable extends Error {
  override name = "StoreUnavailable";
}

/** Keeps support requests. Every method may reject with {@linkcode StoreUnavailable}. */
export interface Store {
  /**
   * The first commit: the request, its audit event and its idempotency key, all or nothing. It
   * sorts after every request of its context that was acknowledged before the call.
   */
  append(request: SupportRequest, key?: KeyClaim): Promise<Appended>;
  /** The latest request of a context, or null. */
  latest(context: Context): Promise<Stored | null>;
  /** The present revision of a stored request, or null where its retention is over. */
  reread(stored: Stored): Promise<Stored | null>;
  /**
   * The finalization: settles the handoff, with its audit event, if the request is still at the
   * revision that `stored` names. False where another attempt has settled it. `actor` is who
   * called, by default who submitted: the audit event names them.
   */
  finalize(stored: Stored, handoff: Settled, actor?: Actor): Promise<boolean>;
  /** Appends `handoff.superseded`: `handoff` is what the request did not come to. */
  supersede(stored: Stored, handoff: Settled, actor?: Actor): Promise<void>;
  findKey(scope: KeyScope): Promise<KeyLookup>;
  /** Takes the lease until `until` (milliseconds since the epoch), unless another has it. */
  takeLease(reference: Reference, until: number): Promise<LeaseAttempt>;
  releaseLease(lease: Lease): Promise<void>;
  /** A tenant's audit events, newest first. */
  auditEvents(tenantId: string, limit: number, after?: AuditPosition): Promise<AuditPage>;
}

/**
 * What a call showed of the desk: it sent a response, whatever it said, or it sent none while there
 * was time. A call that ended otherwise (nothing could be sent, the connection was lost) has none.
 */
export type Contact = "responded" | "timed_out";

/**
 * Where a call ended that failed: while the name was resolved, while the connection or its TLS was
 * made, before the head of the response came, in its body or by what it says. `search` is a lookup.
 */
export type Phase = "dns" | "connect" | "tls" | "request" | "response" | "search";

/** What the log, and nothing else, records of a call that failed. */
export interface CallTrace {
  phase: Phase;
  /** The HTTP status code of the response, if one came. */
  deskStatus?: number;
}

/** What came of asking the desk to create a ticket. */
export type Creation =
  | { outcome: "created"; ticket: Ticket }
  | {
    outcome: "failed";
    failure: Failure;
    /** Whether the desk itself, not a proxy before it, answered with an error. */
    deskAnswered: boolean;
    contact?: Contact;
    trace?: CallTrace;
  };

/** What came of looking a ticket up. Only `absent` says that there is none. */
export type Lookup =
  | { outcome: "found"; ticket: Ticket }
  | { outcome: "absent" }
  | { outcome: "unclear"; contact?: Contact; trace?: CallTrace };

/** What a handoff may ask of the desk. Nothing of it rejects; nothing outlives the signal. */
export interface DeskCalls {
  create(request: SupportRequest, signal: AbortSignal): Promise<Creation>;
  /** Looks up the ticket that was created for `request`, among those as old as it or younger. */
  find(request: SupportRequest, signal: AbortSignal): Promise<Lookup>;
}

/** What came of a handoff that wants to call the desk. After `rejected` nothing was sent. */
export type Admission<T> =
  | { outcome: "admitted"; result: T }
  | { outcome: "rejected" };

/** The one configured support desk. */
export interface Desk {
  /** What people call the desk. */
  label: string;
  /** The ticket that a person means by a ticket number or a URL at this desk, or null. */
  link(ticket: string): Ticket | null;
  /**
   * Runs `work`, the calls of one handoff, when its turn has come; otherwise, and while the desk
   * hangs, rejects it after at most `waitMs` milliseconds. Rejects as `work` does.
   */
  admit<T>(waitMs: number, work: (calls: DeskCalls) => Promise<T>): Promise<Admission<T>>;
}

/** Time, which nothing below `main.ts` reads on its own. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds since some start; never jumps. */
  elapsed(): number;
  wait(milliseconds: number): Promise<void>;
  /** `AbortSignal.timeout`. */
  deadline(milliseconds: number): AbortSignal;
}

/** What a log line may say, and nothing else: no body, no token, nothing that the desk sent. */
export type LogFields = {
  /** The stable name of what happened, for alerts: a message may be reworded. */
  event?: string;
  requestId?: string;
  tenantId?: string;
  reference?: string;
  outcome?: string;
  /** Why a handoff failed or was left pending, or `created`; why a request was rejected. */
  reason?: string;
  ticket?: string;
  deskMs?: number;
  /** Where the first call to the desk that failed has ended. */
  phase?: Phase;
  /** The HTTP status code of the desk's response to that call. */
  deskStatus?: number;
  method?: string;
  route?: string;
  status?: number;
  /** A keyed hash of the actor's id, to trace abuse without naming anybody. */
  actorHash?: string;
  /** The scope that a token lacks. */
  scope?: string;
  /** The rejected origin of a page, cut, of visible ASCII characters. */
  origin?: string;
  count?: number;
  ms?: number;
  address?: string;
  error?: string;
};

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type RateDecision = { allowed: true } | { allowed: false; retryAfterSeconds: number };

/** Counts the submissions of one actor in one tenant. */
export interface RateLimit {
  take(tenantId: string, actorId: string): Promise<RateDecision>;
}
