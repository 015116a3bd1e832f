import type { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import type { Ticket } from "../../domain/model/handoff.ts";
import type { Answer, CallOptions, Target } from "./call.ts";

/** What a check came to. `note` tells what was made, what is wrong, or why nothing is known. */
export type Finding =
  | { outcome: "ok"; note?: string }
  | { outcome: "failed"; note: string }
  /** The check could not be made here. */
  | { outcome: "skipped"; note: string };

/** One smoke test under way: what it tests, and what its checks leave for one another. */
export interface Smoke {
  target: Target;
  /** The operator's environment, which may have the desk's settings. */
  env: Record<string, string>;
  /** Calls the target in the name of the check that is running. */
  ask(path: string, options?: Omit<CallOptions, "requestId">): Promise<Answer>;
  summary?: ContextSummary;
  kept?: SupportRequest;
  handedOff?: { reference: string; ticket: Ticket };
}

export function ok(note?: string): Finding {
  return { outcome: "ok", ...note !== undefined && { note } };
}

export function failed(note: string): Finding {
  return { outcome: "failed", note };
}

export function skipped(note: string): Finding {
  return { outcome: "skipped", note };
}
