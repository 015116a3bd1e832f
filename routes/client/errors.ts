import type { Problem, ProblemSlug, Stored } from "./types.ts";

export interface CallErrorOptions extends ErrorOptions {
  /** The key under which the submission was sent, if the call was one. */
  idempotencyKey?: string | undefined;
  /** Whether the submission is stored, if the call was one. */
  stored?: Stored | undefined;
}

/** Any failure of a call, except an abort, which rejects with the signal's reason. */
export class DeskhandError extends Error {
  override name = "DeskhandError";
  /**
   * The key under which the submission was sent. Calling `submit` again with it never stores a
   * second request.
   */
  readonly idempotencyKey: string | undefined;
  /**
   * Whether the submission is stored, after all attempts of the call: if `no`, it can be submitted as
   * a new one. Undefined if the call was no submission.
   */
  readonly stored: Stored | undefined;

  constructor(message: string, { idempotencyKey, stored, ...options }: CallErrorOptions = {}) {
    super(message, options);
    this.idempotencyKey = idempotencyKey;
    this.stored = stored;
  }
}

/** The most validation errors in a message. All are in `problem.errors`. */
const MAX_ERRORS = 3;

function describe({ title, detail, errors = [] }: Problem): string {
  const fields = errors.slice(0, MAX_ERRORS).map(({ pointer, detail }) => `${pointer} ${detail}`);
  if (errors.length > MAX_ERRORS) fields.push(`and ${errors.length - MAX_ERRORS} more`);
  const text = [title, detail].filter(Boolean).join(". ");
  return fields.length === 0 ? text : `${text}: ${fields.join("; ")}`;
}

/** The service rejected the call and says why. */
export class ProblemError extends DeskhandError {
  override name = "ProblemError";

  constructor(
    /** The last segment of the problem's `type`; a later version may send one not listed here. */
    readonly slug: ProblemSlug,
    readonly problem: Problem,
    /** How long to wait before the next attempt, from `Retry-After`; null if it was not sent. */
    readonly retryAfterMs: number | null,
    options?: CallErrorOptions,
  ) {
    super(describe(problem), options);
  }

  /** The HTTP status code. */
  get status(): number {
    return this.problem.status;
  }
}

/**
 * No response arrived in time, or none at all. A submission may have been stored, unless `stored` is
 * `no`: then no attempt had a token in time.
 */
export class ConnectionError extends DeskhandError {
  override name = "ConnectionError";
}

/** `getToken` returned something that is not a token. Nothing was sent. */
export class InvalidTokenError extends DeskhandError {
  override name = "InvalidTokenError";
}

export interface UnexpectedResponseOptions extends CallErrorOptions {
  isRedirect?: boolean;
}

/** The response is not one of Deskhand's: a redirect, a proxy's error page, or another service's. */
export class UnexpectedResponseError extends DeskhandError {
  override name = "UnexpectedResponseError";

  constructor(
    /** The HTTP status code; 0 for a redirect in a browser. */
    readonly status: number,
    { isRedirect = false, ...options }: UnexpectedResponseOptions = {},
  ) {
    const message = isRedirect
      ? "The URL redirects to another one. Set `url` to the one that it redirects to"
      : `The response with status ${status} is not from Deskhand. Check the URL`;
    super(message, options);
  }
}
