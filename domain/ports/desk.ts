import type { Failure } from "../model/failure.ts";
import type { Ticket } from "../model/handoff.ts";
import type { SupportRequest } from "../model/support_request.ts";

/**
 * Whether the desk sent any response, or the call timed out. Absent if a call shows neither, because
 * nothing could be sent or the connection was lost.
 */
export type Responsiveness = "responded" | "timed_out";

/**
 * The phase in which a call failed: resolving the name, connecting, TLS, before the response head
 * arrived (`request`), or in its head or body (`response`). `search` is a lookup.
 */
export type Phase = "dns" | "connect" | "tls" | "request" | "response" | "search";

/** Details of a failed call, for the log only. */
export interface CallTrace {
  phase: Phase;
  /** The HTTP status code of the response, if one arrived. */
  deskStatus?: number;
}

/** The result of creating a ticket. */
export type CreateTicketResult =
  | { outcome: "created"; ticket: Ticket }
  | {
    outcome: "failed";
    failure: Failure;
    /** Whether the error response came from the desk itself, not from a proxy in front of it. */
    respondedByDesk: boolean;
    responsiveness?: Responsiveness;
    trace?: CallTrace;
  };

/** The result of a ticket lookup. Only `absent` means that there is no ticket. */
export type FindTicketResult =
  | { outcome: "found"; ticket: Ticket }
  | { outcome: "absent" }
  | { outcome: "unclear"; responsiveness?: Responsiveness; trace?: CallTrace };

/** The calls that a handoff may make. They never reject, and end once `signal` aborts. */
export interface DeskCalls {
  createTicket(request: SupportRequest, signal: AbortSignal): Promise<CreateTicketResult>;
  /** Looks up the ticket that was created for `request`, among tickets not older than it. */
  findTicket(request: SupportRequest, signal: AbortSignal): Promise<FindTicketResult>;
}

/** Whether a handoff was allowed to call the desk. If it was rejected, nothing was sent. */
export type Admission<T> =
  | { outcome: "admitted"; result: T }
  | { outcome: "rejected" };

/** The configured support desk. */
export interface Desk {
  /** Display name of the desk. */
  label: string;
  /** Resolves a ticket number, or the URL of a ticket at this desk, as entered by a user. */
  resolveTicket(ticket: string): Ticket | null;
  /**
   * Admits a handoff and runs `work`, which makes its calls. Waits while too many handoffs call the
   * desk, for at most `waitMs` milliseconds; rejects immediately while the desk does not respond.
   *
   * @throws What `work` throws.
   */
  admit<T>(waitMs: number, work: (calls: DeskCalls) => Promise<T>): Promise<Admission<T>>;
}
