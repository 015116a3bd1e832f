import type { Phase } from "./desk.ts";

/** What a log line may say, and nothing else: no body, no token, nothing that the desk sent. */
export type LogFields = {
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
  /** The version of this Deskhand. */
  version?: string;
  error?: string;
};

/** What happened, by a name that never changes: alerts and tests match it. README.md explains each. */
export type LogEvent =
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
