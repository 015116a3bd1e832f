import type { Failure } from "./api_client.ts";
import { type Draft, EMPTY_DRAFT, type FieldErrors } from "./submission.ts";
import type { ContextSummary } from "./types.ts";

/** A submission whose result is not known yet. A retry sends the very same bytes. */
export interface Attempt {
  /** With the idempotency key. */
  headers: Record<string, string>;
  body: string;
  /** Whether the service may have stored it, although no call succeeded. */
  mayBeStored?: boolean;
}

/** What the panel knows about one context: a draft and a late response stay in their own. */
export interface ContextState {
  /** Where the context's support requests are. */
  url: string;
  /** The attribute that is missing or invalid; the service is not called then. */
  invalid?: string;

  draft: Draft;
  errors: FieldErrors;
  /** Fields that the page filled in, and that have to be corrected. */
  revealed: string[];

  summary?: ContextSummary | null;
  /** The call that loads the summary; absent before it, and null after it. */
  loading?: Promise<unknown> | null;
  loadFailure?: Failure | null;
  /** Whether the latest request is shown in full. */
  expanded?: boolean;

  sending?: boolean;
  sendFailure?: Failure | null;
  /** By content, so that changed content is another submission. */
  attempts: Map<string, Attempt>;
  /** What was sent, while its result is shown. */
  sent?: Draft | null;

  /** The check of an interrupted handoff. */
  check?: { running?: boolean; failure?: Failure; unclear?: boolean } | null;
}

export function createState(url: string, invalid?: string): ContextState {
  return { url, invalid, draft: EMPTY_DRAFT, errors: {}, revealed: [], attempts: new Map() };
}

export function latestReference({ summary }: ContextState): string | undefined {
  return summary?.supportRequest?.reference;
}
