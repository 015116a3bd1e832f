import { ConnectionError, ProblemError, UnexpectedResponseError } from "./errors.ts";
import { startLimit } from "./limit.ts";
import type { Problem, ProblemSlug } from "./types.ts";

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
  signal: AbortSignal | undefined;
  /** A field that every successful response has: another server's JSON does not. */
  expectedField: "reference" | "supportRequest" | "events";
}

/** Attempts a call once. Rejects as the methods of the client do. */
export async function attemptCall<Result>(connection: Connection, call: Call): Promise<Result> {
  const { idempotencyKey } = call;
  const { response, text } = await exchange(connection, call);
  const json = parseObject(text);
  const { status } = response;
  if (response.ok && json !== null && call.expectedField in json) return json as Result;
  const slug = /\/problems\/([a-z-]+)$/.exec(String(json?.["type"]))?.[1];
  if (response.ok || slug === undefined) {
    throw new UnexpectedResponseError(status, { idempotencyKey });
  }
  const problem = json as unknown as Problem;
  const retryAfterMs = retryAfter(response);
  throw new ProblemError(slug as ProblemSlug, problem, retryAfterMs, { idempotencyKey });
}

/** Gets a token, sends one request and reads the whole response, within the timeout. */
async function exchange(
  { base, getToken, fetch: send = fetch, timeoutMs }: Connection,
  { method, path, body, idempotencyKey, signal }: Call,
): Promise<{ response: Response; text: string }> {
  const limit = startLimit(timeoutMs, signal);
  let hasToken = false;
  try {
    const token = await Promise.race([getToken(), limit.reached]);
    hasToken = true;
    limit.signal.throwIfAborted();
    const response = await send(`${base}${path}`, {
      method,
      headers: {
        "Accept": "application/json",
        "Authorization": `Bearer ${token}`,
        ...body !== undefined && { "Content-Type": "application/json" },
        ...idempotencyKey !== undefined && { "Idempotency-Key": idempotencyKey },
      },
      ...body !== undefined && { body },
      redirect: "error",
      signal: limit.signal,
    });
    return { response, text: await response.text() };
  } catch (cause) {
    // An error of `getToken` is the caller's own.
    if (!hasToken && !limit.signal.aborted) throw cause;
    const late = hasToken ? "The service did not respond" : "getToken returned no token";
    const message = limit.hasTimedOut()
      ? `${late} within ${timeoutMs} ms`
      : "The service cannot be reached";
    throw new ConnectionError(message, { idempotencyKey, cause });
  } finally {
    limit.end();
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}

/** Only seconds: Deskhand sends no date. */
function retryAfter({ headers }: Response): number | null {
  const seconds = Number(headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
