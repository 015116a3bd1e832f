import type { RequestTracker } from "../instance.ts";

/** A fault in progress. */
export interface Fault {
  /** Environment variables that lead Deskhand to it. */
  env?: Record<string, string>;
  /** The desk timeout, if it is to expire. */
  timeoutMs?: number;
  /** Continues the fault while the submission is in progress. */
  during?(): Promise<void>;
  /** Ends the fault, after the response to the submission. */
  lift?(): unknown;
  /** Whether the desk is unreachable from then on. */
  isFinal?: true;
}

export interface Row {
  fault: string;
  /** What Deskhand must report. */
  reports: string;
  begin(desk: RequestTracker): Fault | Promise<Fault>;
}

/** A desk timeout that expires in a test. */
export const SHORT_MS = 1000;
/** Longer than anything takes that is not to time out. */
export const LONG_MS = 5000;
export const CREATED = "created";
export const MAY_EXIST = "a ticket may exist";
export const NO_TICKET = "no ticket";
