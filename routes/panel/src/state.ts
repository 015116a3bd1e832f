import type { Failure } from "./api_client.ts";
import { type Draft, EMPTY_DRAFT, type FieldErrors } from "./submission.ts";
import type { ContextSummary } from "./types.ts";

/** A submission whose result is not known yet. A retry sends the very same bytes. */
export interface Attempt {
  idempotencyKey: string;
  body: string;
}

/** What the panel knows about one context: a draft and a late response stay in their own. */
export interface ContextState {
  /** Where the context's support requests are. */
  url: string;
  /** The attribute that is missing or invalid; the service is not called then. */
  invalidAttribute?: "service" | "tenant" | "run";

  draft: Draft;
  errors: FieldErrors;
  /** Fields that the page filled in, and that have to be corrected. */
  revealed: string[];

  summary?: ContextSummary | null;
  loadFailure?: Failure | null;
  /** Distinguishes a response that is out of date. */
  loadId: number;
  pendingLoad?: Promise<unknown> | null;
  /** Whether the latest request is shown in full. */
  isLatestOpen?: boolean;

  isSubmitting?: boolean;
  submitFailure?: Failure | null;
  /** By content, so that changed content is another submission. */
  attempts: Map<string, Attempt>;
  /** What was sent, while its result is shown. */
  submittedDraft?: Draft | null;

  /** Of an interrupted handoff. */
  check?: { isRunning?: boolean; failure?: Failure; isUnclear?: boolean } | null;
}

export function createState(
  url: string,
  invalidAttribute: ContextState["invalidAttribute"],
): ContextState {
  return {
    url,
    invalidAttribute,
    draft: EMPTY_DRAFT,
    errors: {},
    revealed: [],
    loadId: 0,
    attempts: new Map(),
  };
}
