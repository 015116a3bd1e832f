import { MAX_BODY_BYTES } from "./json_body.ts";

/** How long a response waits for the unread rest of a small body, in milliseconds. */
const SMALL_BODY_TIMEOUT_MS = 500;
/** How long a client has to read its response before the connection is closed, in milliseconds. */
const LINGER_MS = 2_000;
/** Reads of up to 64 KiB each after the response, within which a body may still end. */
const MAX_DRAINED_READS = 16;

/** Aborts a response's stream in order to close the connection. Not a failure. */
export class ConnectionCutError extends Error {
  override name = "ConnectionCutError";
}

/** Returns whether the body may exceed the size limit: its length is unknown or larger. */
function mayBeLarge({ headers }: Request): boolean {
  const length = headers.get("Content-Length");
  return length === null || Number(length) > MAX_BODY_BYTES;
}

/** Returns whether the request has a possibly large body that Deno does not expose for its method. */
export function hasUnreadableBody({ method, headers }: Request): boolean {
  if (!hasNoBody(method)) return false;
  return Number(headers.get("Content-Length") ?? 0) > MAX_BODY_BYTES ||
    headers.has("Transfer-Encoding");
}

function hasNoBody(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "CONNECT";
}

/** Returns whether some of the body may be unread. Most requests end here, at little cost. */
function mayBeUnread(request: Request, { status }: Response): boolean {
  // A body that the method does not allow is rejected with 400.
  return hasNoBody(request.method) ? status === 400 : status >= 400 || !request.bodyUsed;
}

/**
 * Limits how much of a request's body the server receives after its response. Deno alone would read
 * on without limit, as fast as the client sends. Here, the rest of a small body is read before the
 * response, which keeps the connection usable for the next request. Of any other body a little more is
 * read, in case it ends; then the connection is closed, after the client had time to read its response
 * (RFC 9112, 9.6).
 */
export function drainBody(request: Request, response: Response): Response | Promise<Response> {
  return mayBeUnread(request, response) ? drain(request, response) : response;
}

async function drain(request: Request, response: Response): Promise<Response> {
  if (hasNoBody(request.method)) {
    if (!hasUnreadableBody(request)) return response;
    // Deno exposes no body here that could be cancelled. Aborting the response closes the connection,
    // except to HEAD, whose response has no stream. RFC 9110, 9.3.1 and 9.3.2, permit this.
    if (request.method !== "HEAD") return await closeAfter(response);
    // Until there is a response, Deno reads nothing, and so does not notice that the client has
    // disconnected. Without a response, the file descriptor would never be closed.
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    return response;
  }
  if (mayBeLarge(request)) {
    if (request.body !== null && !request.body.locked) {
      // A body that was read in part is too large, too slow or broken, and unlikely to end soon.
      linger(request.body, request.bodyUsed ? 1 : MAX_DRAINED_READS);
    }
  } else if (!request.bodyUsed) await readToEnd(request);
  return response;
}

/** Resolves once a small body has been received, or after 500 ms. */
function readToEnd(request: Request): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, SMALL_BODY_TIMEOUT_MS);
  request.bytes().catch(() => {}).finally(() => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

/** Cancels the body after a delay, which closes the connection once the response has been sent. */
async function linger(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxReads: number,
): Promise<void> {
  const reader = body.getReader();
  // The timer also keeps the reader from being garbage-collected, which would close it earlier.
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), LINGER_MS);
  try {
    for (let reads = 0; reads < maxReads; reads++) {
      if ((await reader.read()).done) return clearTimeout(timer);
    }
  } catch {
    // The client has disconnected.
    clearTimeout(timer);
  }
}

/** Returns the same response, with a stream that closes the connection after its last byte. */
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
