import type { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import type { Ticket } from "../../domain/model/handoff.ts";
import type { CallOptions, CallResult, Target } from "./call.ts";
import type { DeskResponse } from "./desk/call.ts";
import type { QueueResponse } from "./desk/responses.ts";
import type { DeskSettings } from "./desk/settings.ts";
import type { Settings } from "./settings.ts";

/** What is wrong, with the value of the setting that it depends on, and what to do next. */
export interface Problem {
  cause: string;
  next: string;
}

/** The result of one check. */
export type Finding =
  | { outcome: "ok"; note?: string }
  | { outcome: "failed" } & Problem
  /** The check cannot be made from here. */
  | { outcome: "skipped"; note: string };

/** What one run of the smoke test works on, and what its checks pass on to later ones. */
export interface Smoke {
  target: Target;
  settings: Settings;
  /** Null if this machine does not have the desk's settings. */
  desk: DeskSettings | null;
  /** Calls the target with the request ID of the current check. */
  call(path: string, options?: Omit<CallOptions, "requestId">): Promise<CallResult>;
  summary?: ContextSummary;
  stored?: SupportRequest;
  /** The response to the first request to the desk's API. */
  deskResponse?: DeskResponse;
  queue?: QueueResponse;
  /** Whether a check of the desk has failed. */
  deskFailed?: boolean;
  handedOff?: { reference: string; ticket: Ticket };
}

export function ok(note?: string): Finding {
  return { outcome: "ok", ...note !== undefined && { note } };
}

export function failed(problem: Problem): Finding;
export function failed(cause: string, next: string): Finding;
export function failed(cause: string | Problem, next = ""): Finding {
  return typeof cause === "string"
    ? { outcome: "failed", cause, next }
    : { outcome: "failed", ...cause };
}

export function skipped(note: string): Finding {
  return { outcome: "skipped", note };
}
