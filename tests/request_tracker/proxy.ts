/** A proxy in front of a desk that forwards everything, but may spoil the response to a creation. */
import {
  type Behavior,
  type RawServer,
  respondWith,
  startRawServer,
} from "../support/raw_server.ts";

/**
 * Returns how the client of a creation is served. `forward` has the desk create the ticket, and
 * resolves with the behavior that passes on the desk's response.
 */
export type Spoil = (forward: () => Promise<Behavior>) => Behavior | Promise<Behavior>;

/** Starts a proxy on loopback in front of the desk at `target`. */
export function startProxy(target: string, spoil: Spoil): RawServer {
  return startRawServer(async (connection, text) => {
    const request = parseRequest(text, target);
    const forward = () => forwardTo(request);
    const behavior = request.method === "POST" ? await spoil(forward) : await forward();
    await behavior(connection, text);
  });
}

async function forwardTo(request: Request): Promise<Behavior> {
  const response = await fetch(request);
  const type = response.headers.get("Content-Type") ?? "text/plain";
  const body = new Uint8Array(await response.arrayBuffer());
  return respondWith(response.status, body, `Content-Type: ${type}`);
}

/** A raw request as one that can be sent to `target`. */
function parseRequest(text: string, target: string): Request {
  const bodyStart = text.indexOf("\r\n\r\n") + 4;
  const [method, path] = text.split(" ", 2) as [string, string];
  const headers = [...text.slice(0, bodyStart).matchAll(/\r\n([\w-]+): (.*)/g)]
    .map(([, name, value]) => [name, value] as [string, string])
    .filter(([name]) => !/^(?:host|connection|content-length|accept-encoding)$/i.test(name));
  const body = Uint8Array.from(text.slice(bodyStart), (character) => character.charCodeAt(0));
  return new Request(target + path, {
    method,
    headers,
    body: method === "POST" ? body : undefined,
    redirect: "manual",
  });
}
