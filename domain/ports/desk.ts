import type { Ticket } from "../model/handoff.ts";
import type { Failure } from "../model/failure.ts";
import type { SupportRequest } from "../model/support_request.ts";

/**
 * What a call showed of the desk: it sent a response, whatever it said, or it sent none while there
 * was time. A call that ended otherwise (nothing could be sent, the connection was lost) has none.
 */
export type Responsiveness = "responded" | "timed_out";

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

/** What came of looking a ticket up. Only `absent` says that there is none. */
export type FindTicketResult =
  | { outcome: "found"; ticket: Ticket }
  | { outcome: "absent" }
  | { outcome: "unclear"; responsiveness?: Responsiveness; trace?: CallTrace };

/** What a handoff may ask of the desk. Nothing of it rejects; nothing outlives the signal. */
export interface DeskCalls {
  createTicket(request: SupportRequest, signal: AbortSignal): Promise<CreateTicketResult>;
  /** Looks up the ticket that was created for `request`, among those as old as it or younger. */
  findTicket(request: SupportRequest, signal: AbortSignal): Promise<FindTicketResult>;
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
  resolveTicket(ticket: string): Ticket | null;
  /**
   * Runs `work`, the calls of one handoff, when its turn has come; otherwise, and while the desk
   * hangs, rejects it after at most `waitMs` milliseconds. Rejects as `work` does.
   */
  admit<T>(waitMs: number, work: (calls: DeskCalls) => Promise<T>): Promise<Admission<T>>;
}
