import type { FinalHandoff } from "../model/handoff.ts";
import type { AuditEvent, Erasure } from "../model/audit.ts";
import type { SupportContext } from "../model/context.ts";
import type { Reference } from "../model/reference.ts";
import type { Actor, SupportRequest } from "../model/support_request.ts";

/** A stored support request, with its sort key and revision. */
export interface StoredRequest {
  request: SupportRequest;
  /** Sort key within the context, in microseconds: unique, and greater than those before it. */
  ts: number;
  versionstamp: string;
  /**
   * The record as stored, with any fields that this version does not know. Opaque to everything but
   * the store, which writes it back with a finalization, so that no field is lost.
   */
  record: unknown;
  /**
   * Whether a newer version wrote the record. `request` then holds the part that this version
   * understands, and the record must not be written.
   */
  isNewer: boolean;
}

/** Identifies an idempotency key, which is scoped to one actor in one tenant. */
export interface KeyScope {
  tenantId: string;
  actorId: string;
  key: string;
}

/** An idempotency key to store with a request. */
export interface KeyClaim extends KeyScope {
  fingerprint: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** The versionstamp of the expired record that this claim replaces, or null. */
  replaces: string | null;
}

/** The result of looking up an idempotency key. An expired one is free. */
export type KeyLookup =
  | { outcome: "free"; versionstamp: string | null }
  | { outcome: "taken"; fingerprint: string; fingerprintVersion: number; stored: StoredRequest }
  /** By a request in a kind of context that only a newer version knows: not by a retry's. */
  | { outcome: "unreadable" };

export type AppendResult =
  | { outcome: "stored"; stored: StoredRequest }
  /** Nothing was stored: the key is taken, or was until recently. `findKey` says which. */
  | { outcome: "key_taken" };

/** The position of the last event on a page of audit events, where the next page continues. */
export interface AuditPosition {
  ts: number;
  reference: string;
  event: string;
}

export interface AuditPage {
  events: AuditEvent[];
  /** How many events were omitted because only a newer version understands them, if any. */
  unknown?: number;
  /** On the first page: the latest erasures in the tenant, newest first, if there were any. */
  erasures?: Erasure[];
  /** Null on the last page. */
  next: AuditPosition | null;
}

/** The exclusive right to resume one interrupted handoff, for a limited time. */
export interface Lease {
  reference: Reference;
  versionstamp: string;
}

export type LeaseAttempt =
  | { outcome: "acquired"; lease: Lease }
  /** Another process holds it, until `until` at the latest (milliseconds since the epoch). */
  | { outcome: "held"; until: number };

/** The store failed or timed out. A write may have been applied nevertheless. */
export class StoreUnavailableError extends Error {
  override name = "StoreUnavailableError";
}

/**
 * Stores support requests, audit events, idempotency keys and leases.
 *
 * @throws {StoreUnavailableError} Every method may reject with it.
 */
export interface Store {
  /**
   * Makes the first commit: stores the request, its audit event and its idempotency key, all or
   * nothing. The request sorts after every request of its context that was acknowledged before.
   */
  append(request: SupportRequest, key?: KeyClaim): Promise<AppendResult>;
  /** Returns the latest request of a context, or null. */
  latest(context: SupportContext): Promise<StoredRequest | null>;
  /** Returns the current revision of a stored request, or null if it was erased or has expired. */
  reload(stored: StoredRequest): Promise<StoredRequest | null>;
  /**
   * Makes the finalization: records the final state of the handoff and its audit event, if the
   * request is still at the revision of `stored`. Returns false if another attempt was first.
   * `actor` is the caller, whom the audit event records; by default the submitter.
   */
  finalize(stored: StoredRequest, handoff: FinalHandoff, actor?: Actor): Promise<boolean>;
  /** Appends a `handoff.superseded` audit event for `handoff`, the outcome that came second. */
  recordSuperseded(stored: StoredRequest, handoff: FinalHandoff, actor?: Actor): Promise<void>;
  /** Looks up an idempotency key and the request that holds it. */
  findKey(scope: KeyScope): Promise<KeyLookup>;
  /** Acquires the lease until `until` (milliseconds since the epoch), unless it is held. */
  acquireLease(reference: Reference, until: number): Promise<LeaseAttempt>;
  /** Ends a lease before its time. */
  releaseLease(lease: Lease): Promise<void>;
  /** Returns a page of a tenant's audit events, newest first. */
  auditEvents(tenantId: string, limit: number, after?: AuditPosition): Promise<AuditPage>;
}
