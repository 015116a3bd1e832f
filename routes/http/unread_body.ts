import { MAX_BODY_BYTES } from "./json_body.ts";

/** How long a response waits for the rest of a small body that was not read, in milliseconds. */
const SMALL_BODY_MS = 500;
/** How long a client has to read its response before its connection is closed, in milliseconds. */
const LINGER_MS = 2_000;
/** What is read after the response, so that a small body ends: each read takes up to 64 KiB. */
const MAX_DRAINED_READS = 16;

/** Ends a response's stream, and with it the connection. No failure. */
export class ConnectionCutError extends Error {
  override name = "ConnectionCutError";
}

/** Whether the body may be larger than what a route would read: its length is unknown, or large. */
function mayBeLarge({ headers }: Request): boolean {
  const length = headers.get("Content-Length");
  return length === null || Number(length) > MAX_BODY_BYTES;
}

/** Whether it has a body that may be large, and a method to which Deno gives no body. */
export function hasUnreadableBody({ method, headers }: Request): boolean {
  if (!hasNoBody(method)) return false;
  return Number(headers.get("Content-Length") ?? 0) > MAX_BODY_BYTES ||
    headers.has("Transfer-Encoding");
}

function hasNoBody(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "CONNECT";
}

/** Whether a response may leave some of the body unread. Most do not, and looking takes time. */
function mayBeUnread(request: Request, { status }: Response): boolean {
  // A body without a method for it is 400.
  return hasNoBody(request.method) ? status === 400 : status >= 400 || !request.bodyUsed;
}

/**
 * Bounds what is taken in of a request's body after its response. By itself Deno reads on as fast as
 * it comes, without end, and then closes the connection. So the rest of a small body is read before
 * the response, which leaves the connection for the next request. Of any other body a little more is
 * read, in case it ends, and then the connection is closed, once the client had time to read its
 * response (RFC 9112, 9.6).
 */
export async function drainBody(request: Request, response: Response): Promise<Response> {
  if (!mayBeUnread(request, response)) return response;
  if (hasNoBody(request.method)) {
    if (!hasUnreadableBody(request)) return response;
    // Deno hands out no body whose reading could stop. Any response but one to HEAD can be cut off.
    // RFC 9110, 9.3.1 and 9.3.2, leave it to us.
    if (request.method !== "HEAD") return await closeAfter(response);
    // While there is no response, Deno reads nothing, and so does not notice that the client has gone
    // either: without one, the file descriptor would never be closed.
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    return response;
  }
  if (mayBeLarge(request)) {
    if (request.body !== null && !request.body.locked) {
      // What was read has ended, or is too large, too slow or broken, and will hardly end.
      linger(request.body, request.bodyUsed ? 1 : MAX_DRAINED_READS);
    }
  } else if (!request.bodyUsed) await readToEnd(request);
  return response;
}

/** Resolves once a small body has come to its end, or has taken too long. */
function readToEnd(request: Request): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, SMALL_BODY_MS);
  request.bytes().catch(() => {}).finally(() => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

/** A cancelled body closes the connection, provided that the response was sent. */
async function linger(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxReads: number,
): Promise<void> {
  const reader = body.getReader();
  // The timer also keeps the reader from being collected, which would close the connection earlier.
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), LINGER_MS);
  try {
    for (let reads = 0; reads < maxReads; reads++) {
      if ((await reader.read()).done) return clearTimeout(timer);
    }
  } catch {
    // The client has gone.
    clearTimeout(timer);
  }
}

/** The same response, whose connection is closed after the last byte. */
async function closeAfter(response: Response): Promise<Response> {
  const bytes = await response.bytes();
  let isSent = false;
  const body = new ReadableStream({
    pull(controller) {
      if (isSent || bytes.length === 0) return controller.error(new ConnectionCutError());
      controller.enqueue(bytes);
      isSent = true;
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
