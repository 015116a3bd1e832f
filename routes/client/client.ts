/**
 * A client of Deskhand's HTTP API for browsers and servers, without dependencies.
 *
 * ```ts
 * import { createClient, ProblemError } from "@deskhand/client";
 *
 * const deskhand = createClient({
 *   url: "https://support.example",
 *   getToken: async () => (await fetch("/support-token")).text(),
 * });
 * const request = await deskhand.submit(
 *   { kind: "run", tenantId: "acme", runId: "nightly-import-42" },
 *   { summary: "The nightly import stops", handoff: { mode: "create" } },
 * );
 * if (request.handoff.status === "created") console.log(request.handoff.ticket.url);
 * ```
 *
 * @module
 */
import { attemptCall, type Call, type Connection } from "./attempt.ts";
import { DeskhandError } from "./errors.ts";
import { isAuditEvents, isContextSummary, isSupportRequest } from "./responses.ts";
import { isTokenRejected, retryDelay, wait } from "./retry.ts";
import {
  parseBaseUrl,
  pathSegment,
  requireCount,
  requireDelay,
  requireFunction,
  requireIdempotencyKey,
  requireObject,
} from "./validate.ts";
import type { AuditEvents, Context, ContextSummary, Submission, SupportRequest } from "./types.ts";

export * from "./errors.ts";
export type * from "./types.ts";

export interface ClientOptions {
  /** The base URL of the service, such as `https://support.example` or `https://app.example/support`. */
  url: string | URL;
  /** Returns a token of the product's own backend. Called before every attempt. */
  getToken(): string | Promise<string>;
  /** `globalThis.fetch` by default. */
  fetch?: typeof fetch;
  /** Attempts per call, including the first. 3 by default. */
  maxAttempts?: number;
  /**
   * The timeout of one attempt, with its token, in milliseconds. 20,000 by default: the desk alone has
   * 5,000.
   */
  timeoutMs?: number;
  /** The delay before the second attempt, in milliseconds. 300 by default; it doubles each time. */
  retryDelayMs?: number;
}

export interface CallOptions {
  /** Aborts the call. The service finishes a submission that it has received nevertheless. */
  signal?: AbortSignal;
}

export interface SubmitOptions extends CallOptions {
  /**
   * Identifies this submission. All attempts with one key store one request, and create one ticket,
   * within 24 hours. Random by default. Pass your own to retry across page loads.
   */
  idempotencyKey?: string;
}

export interface AuditOptions extends CallOptions {
  /** Events per page, 1 to 100. 50 by default. */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
}

/**
 * Every method rejects with a {@linkcode ProblemError} if the service rejects the call, with a
 * {@linkcode ConnectionError} if it cannot be reached in time, with an
 * {@linkcode UnexpectedResponseError} if another server responds, with the reason of
 * `options.signal` once that aborts, with the error of `getToken` if that throws, with an
 * {@linkcode InvalidTokenError} if what it returns is no token, and with a `TypeError` if an argument
 * is invalid.
 */
export interface Client {
  /** Stores a support request and hands it to the desk. Retries with the same idempotency key. */
  submit(
    context: Context,
    submission: Submission,
    options?: SubmitOptions,
  ): Promise<SupportRequest>;
  /** Returns the desk, the available modes and the latest request of a context. */
  latest(context: Context, options?: CallOptions): Promise<ContextSummary>;
  /** Resumes the handoff of a context's latest request if it was interrupted; returns the request. */
  resume(context: Context, options?: CallOptions): Promise<SupportRequest>;
  /** Returns one page of a tenant's audit events, newest first. */
  auditEvents(tenantId: string, options?: AuditOptions): Promise<AuditEvents>;
}

const DEFAULT_ATTEMPTS = 3;
const DEFAULT_TIMEOUT_MS = 20_000;
const DEFAULT_RETRY_DELAY_MS = 300;

/**
 * Creates a client. Sends nothing until a method is called.
 *
 * @throws {TypeError} An option is invalid; the message names it and says what to correct.
 */
export function createClient(options: ClientOptions): Client {
  const retryDelayMs = options.retryDelayMs ?? DEFAULT_RETRY_DELAY_MS;
  const maxAttempts = requireCount("maxAttempts", options.maxAttempts ?? DEFAULT_ATTEMPTS);
  requireDelay("retryDelayMs", retryDelayMs, 0);
  const connection: Connection = {
    base: parseBaseUrl(options.url),
    getToken: requireFunction("getToken", options.getToken, "returns a token"),
    fetch: options.fetch,
    timeoutMs: requireDelay("timeoutMs", options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 1),
  };

  async function call<Result>(request: Call): Promise<Result> {
    let mayRenewToken = true;
    for (let attempt = 1;; attempt++) {
      request.signal?.throwIfAborted();
      try {
        return await attemptCall<Result>(connection, request);
      } catch (error) {
        request.signal?.throwIfAborted();
        if (error instanceof DeskhandError) request.stored = error.stored;
        if (attempt >= maxAttempts) throw error;
        if (mayRenewToken && isTokenRejected(error)) {
          // It may have expired since it was issued. The next attempt gets another one.
          mayRenewToken = false;
          continue;
        }
        const delayMs = retryDelay(error, attempt, retryDelayMs);
        if (delayMs === null) throw error;
        await wait(delayMs, request.signal);
      }
    }
  }

  return {
    async submit(context, submission, { idempotencyKey = randomKey(), signal } = {}) {
      requireIdempotencyKey(idempotencyKey);
      requireObject("The submission", submission);
      const body = JSON.stringify(submission);
      const path = requestsPath(context);
      const isExpected = isSupportRequest;
      const stored = "no";
      return await call({ method: "POST", path, body, idempotencyKey, stored, signal, isExpected });
    },
    async latest(context, { signal } = {}) {
      const path = `${requestsPath(context)}/latest`;
      return await call({ method: "GET", path, signal, isExpected: isContextSummary });
    },
    async resume(context, { signal } = {}) {
      const path = `${requestsPath(context)}/latest/resume`;
      return await call({ method: "POST", path, signal, isExpected: isSupportRequest });
    },
    async auditEvents(tenantId, { limit, cursor, signal } = {}) {
      const query = new URLSearchParams();
      if (limit !== undefined) query.set("limit", String(limit));
      if (cursor !== undefined) query.set("cursor", cursor);
      const path = `${tenantPath(tenantId)}/audit-events?${query}`;
      return await call({ method: "GET", path, signal, isExpected: isAuditEvents });
    },
  };
}

/** @throws {TypeError} The kind is invalid: the path of a run must not become the tenant's. */
function requestsPath(context: Context): string {
  const kind = context?.kind;
  if (kind !== "tenant" && kind !== "run") {
    throw new TypeError("The context's kind must be 'tenant' or 'run'");
  }
  const tenant = tenantPath(context.tenantId);
  const run = kind === "run" ? `/runs/${pathSegment("runId", context.runId)}` : "";
  return `${tenant}${run}/support-requests`;
}

function tenantPath(tenantId: string): string {
  return `/v1/tenants/${pathSegment("tenantId", tenantId)}`;
}

/**
 * Not `crypto.randomUUID`, which is unavailable to pages on plain http. A key is not a secret: it only
 * has to be unique for its actor. So `Math.random` suffices in a runtime without `crypto`.
 */
function randomKey(): string {
  const bytes = new Uint8Array(16);
  if (globalThis.crypto === undefined) {
    bytes.forEach((_, i) => bytes[i] = Math.floor(Math.random() * 256));
  } else crypto.getRandomValues(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
