import type { FinalHandoff } from "../model/handoff.ts";
import type { AuditEvent, Erasure } from "../model/audit.ts";
import type { SupportContext } from "../model/context.ts";
import type { Reference } from "../model/reference.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

/** A support request as the store has it: where it sorts in its context, and its revision. */
export interface StoredRequest {
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
  | { outcome: "taken"; fingerprint: string; fingerprintVersion: number; stored: StoredRequest };

export type AppendResult =
  | { outcome: "stored"; stored: StoredRequest }
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
export class StoreUnavailableError extends Error {
  override name = "StoreUnavailableError";
}

/** Keeps support requests. Every method may reject with {@linkcode StoreUnavailableError}. */
export interface Store {
  /**
   * The first commit: the request, its audit event and its idempotency key, all or nothing. It
   * sorts after every request of its context that was acknowledged before the call.
   */
  append(request: SupportRequest, key?: KeyClaim): Promise<AppendResult>;
  /** The latest request of a context, or null. */
  latest(context: SupportContext): Promise<StoredRequest | null>;
  /** The present revision of a stored request, or null where its retention is over. */
  reload(stored: StoredRequest): Promise<StoredRequest | null>;
  /**
   * The finalization: settles the handoff, with its audit event, if the request is still at the
   * revision that `stored` names. False where another attempt has settled it. `actor` is who
   * called, by default who submitted: the audit event names them.
   */
  finalize(stored: StoredRequest, handoff: FinalHandoff, actor?: Actor): Promise<boolean>;
  /** Appends `handoff.superseded`: `handoff` is what the request did not come to. */
  recordSuperseded(stored: StoredRequest, handoff: FinalHandoff, actor?: Actor): Promise<void>;
  findKey(scope: KeyScope): Promise<KeyLookup>;
  /** Takes the lease until `until` (milliseconds since the epoch), unless another has it. */
  acquireLease(reference: Reference, until: number): Promise<LeaseAttempt>;
  releaseLease(lease: Lease): Promise<void>;
  /** A tenant's audit events, newest first. */
  auditEvents(tenantId: string, limit: number, after?: AuditPosition): Promise<AuditPage>;
}
