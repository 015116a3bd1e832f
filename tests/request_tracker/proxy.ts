/**
 * A proxy in front of a desk that forwards requests but changes the response to a create request.
 */
import {
  type Behavior,
  type RawServer,
  respondWith,
  startRawServer,
} from "../support/raw_server.ts";

/**
 * Decides what the client of a create request gets. `forward` passes the request on, which creates
 * the ticket, and resolves when the desk has responded.
 */
export type Spoil = (forward: () => Promise<unknown>) => Behavior | Promise<Behavior>;

/** Starts a proxy on loopback in front of the desk at `target`. */
export function startProxy(target: string, spoil: Spoil): RawServer {
  return startRawServer(async (connection, text) => {
    const request = parseRequest(text, target);
    const forward = () => forwardRequest(request);
    const behavior = request.method === "POST" ? await spoil(forward) : await forward();
    await behavior(connection, text);
  });
}

async function forwardRequest(request: Request): Promise<Behavior> {
  const response = await fetch(request);
  const type = response.headers.get("Content-Type") ?? "text/plain";
  const body = new Uint8Array(await response.arrayBuffer());
  return respondWith(response.status, body, `Content-Type: ${type}`);
}

/** Parses the text of a request, with one character per byte, into a request to `target`. */
function parseRequest(text: string, target: string): Request {
  const end = text.indexOf("\r\n\r\n") + 4;
  const [method, path] = text.split(" ", 2) as [string, string];
  const headers = [...text.slice(0, end).matchAll(/\r\n([\w-]+): (.*)/g)]
    .map(([, name, value]) => [name, value] as [string, string])
    .filter(([name]) => !/^(?:host|connection|content-length|accept-encoding)$/i.test(name));
  const bytes = Uint8Array.from(text.slice(end), (character) => character.charCodeAt(0));
  const body = method === "POST" ? bytes : undefined;
  return new Request(target + path, { method, headers, body, redirect: "manual" });
}
