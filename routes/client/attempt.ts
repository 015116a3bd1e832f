import { ConnectionError, ProblemError, UnexpectedResponseError } from "./errors.ts";
import { startLimit } from "./limit.ts";
import { readText } from "./read_text.ts";
import { parseProblem } from "./responses.ts";
import type { ProblemSlug, Stored } from "./types.ts";
import { MAX_DELAY_MS, requireToken } from "./validate.ts";

const REDIRECTS = [301, 302, 303, 307, 308];

/** How calls reach the service. */
export interface Connection {
  /** The base URL of the service, without a slash at its end. */
  base: string;
  getToken(): string | Promise<string>;
  /** `globalThis.fetch` if undefined. */
  fetch: typeof fetch | undefined;
  /** The timeout of one attempt, with its token, in milliseconds. */
  timeoutMs: number;
}

export interface Call {
  method: "GET" | "POST";
  path: string;
  body?: string;
  idempotencyKey?: string;
  /** Whether earlier attempts have stored the submission; undefined if the call is none. */
  stored?: Stored | undefined;
  signal: AbortSignal | undefined;
  /** Returns whether the JSON of a successful response is the service's: another server's is not. */
  isExpected(json: unknown): boolean;
}

/** Attempts a call once. Rejects as the methods of the client do. */
export async function attemptCall<Result>(connection: Connection, call: Call): Promise<Result> {
  const { idempotencyKey } = call;
  const { response, text } = await exchange(connection, call);
  const { ok, status, type } = response;
  const json = text === null ? null : parseJson(text);
  if (ok && call.isExpected(json)) return json as Result;
  const problem = ok ? null : parseProblem(json, status);
  if (problem === null) {
    const isRedirect = type === "opaqueredirect" || REDIRECTS.includes(status);
    const stored = storedAfter(call, "unknown");
    throw new UnexpectedResponseError(status, { idempotencyKey, stored, isRedirect });
  }
  const slug = problem.slug as ProblemSlug;
  const stored = storedAfter(call, problem.problem.stored ?? "unknown");
  throw new ProblemError(slug, problem.problem, retryAfter(response), { idempotencyKey, stored });
}

/** Adds an attempt's result to that of the earlier ones, which a later failure does not undo. */
function storedAfter({ stored }: Call, result: Stored): Stored | undefined {
  if (stored === undefined) return undefined;
  return stored === "no" || result === "yes" ? result : stored;
}

/** Gets a token, sends one request and reads the whole response, within the timeout. */
async function exchange(
  { base, getToken, fetch: send = fetch, timeoutMs }: Connection,
  call: Call,
): Promise<{ response: Response; text: string | null }> {
  const { method, path, body, idempotencyKey, signal } = call;
  const limit = startLimit(timeoutMs, signal);
  let hasToken = false;
  try {
    const returned = await Promise.race([getToken(), limit.reached]);
    const token = requireToken(returned, { idempotencyKey, stored: call.stored });
    hasToken = true;
    limit.signal.throwIfAborted();
    const sent = send(`${base}${path}`, {
      method,
      headers: {
        "Accept": "application/json",
        "Authorization": `Bearer ${token}`,
        ...body !== undefined && { "Content-Type": "application/json" },
        ...idempotencyKey !== undefined && { "Idempotency-Key": idempotencyKey },
      },
      ...body !== undefined && { body },
      // A redirect is another server's response. Following it would send the request elsewhere.
      redirect: "manual",
      signal: limit.signal,
    });
    // A custom `fetch` may ignore the signal.
    const response = await Promise.race([sent, limit.reached]);
    return { response, text: await readText(response, limit.reached) };
  } catch (cause) {
    // An error of `getToken` is the caller's own.
    if (!hasToken && !limit.signal.aborted) throw cause;
    const late = hasToken ? "The service did not respond" : "getToken returned no token";
    const message = limit.hasTimedOut()
      ? `${late} within ${timeoutMs} ms`
      : "The service cannot be reached. Check the URL, and for a page also CORS_ORIGINS";
    const stored = storedAfter(call, hasToken ? "unknown" : "no");
    throw new ConnectionError(message, { idempotencyKey, stored, cause });
  } finally {
    limit.end();
  }
}

/** Returns undefined for text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only seconds: Deskhand sends no date. */
function retryAfter({ headers }: Response): number | null {
  const seconds = headers.get("Retry-After") ?? "";
  return /^\d+$/.test(seconds) ? Math.min(Number(seconds) * 1000, MAX_DELAY_MS) : null;
}
