import type { Phase } from "./desk.ts";

/**
 * The only fields of a log line. None holds a request body, a token, or text from the desk; of what
 * the desk sent, only a validated ticket number and the HTTP status code are logged.
 */
export type LogFields = {
  requestId?: string;
  tenantId?: string;
  reference?: string;
  outcome?: string;
  /** Why a handoff failed or was left pending, or `created`. Why a request was rejected. */
  reason?: string;
  ticket?: string;
  /** How long the handoff took at the desk, including the wait for admission, in milliseconds. */
  deskMs?: number;
  /** The phase in which the first failed call to the desk ended. */
  phase?: Phase;
  /** The HTTP status code of the desk's response to that call. */
  deskStatus?: number;
  method?: string;
  route?: string;
  status?: number;
  /** A keyed hash of the actor's id, so that abuse can be traced without naming anybody. */
  actorHash?: string;
  /** The scope that a token lacks. */
  scope?: string;
  /** The rejected origin of a page: visible ASCII only, truncated. */
  origin?: string;
  count?: number;
  ms?: number;
  address?: string;
  /** The version of this Deskhand. */
  version?: string;
  /** Where requests are stored: `file`, `connect` or `deploy`. */
  kv?: string;
  /** The desk's URL, or `none`. */
  desk?: string;
  queue?: string;
  /** Whose tokens are accepted: `AUTH_SECRET` or the issuer. */
  callers?: string;
  /** The origins that may call from a browser, separated by commas. */
  origins?: string;
  error?: string;
};

/**
 * The closed list of events. Names never change, because alerts and tests match them.
 * config/deploy/README.md describes each.
 */
export type LogEvent =
  | "configured"
  | "listening"
  | "stopping"
  | "handoffs_abandoned"
  | "accept_failed"
  | "request_completed"
  | "unhandled_error"
  | "request_stored"
  | "handoff_created"
  | "handoff_failed"
  | "handoff_left_pending"
  | "handoff_superseded"
  | "superseded_ticket_lost"
  | "outcome_not_recorded"
  | "newer_record"
  | "desk_circuit_opened"
  | "desk_circuit_closed"
  | "store_opening"
  | "store_opened"
  | "store_open_failed"
  | "store_unavailable"
  | "store_reconnected"
  | "store_removed"
  | "key_set_available"
  | "key_set_problem"
  | "key_set_unavailable"
  | "key_set_unusable";

type WriteLine = (event: LogEvent, message: string, fields?: LogFields) => void;

/** Writes one line per call. Messages may be reworded at any time; events may not. */
export interface Log {
  debug: WriteLine;
  info: WriteLine;
  warn: WriteLine;
  error: WriteLine;
}
