import type { Context, Handler } from "hono";
import { entityTag, matchesIfNoneMatch } from "./entity_tag.ts";
import type { Env } from "./env.ts";

/**
 * The size of the slices that a response is sent in, in bytes. Deno copies a response's string or
 * bytes for each request: 1,000 unread responses of 1.7 MB took 1.7 GB.
 */
const SLICE_BYTES = 16 * 1024;

export interface StaticFileOptions {
  /** The value of `Content-Type`. */
  type: string;
  /** How long caches may use the file without revalidation, in seconds. */
  maxAge: number;
  /** Whether the URL names these very bytes, so that no cache need revalidate them (RFC 8246). */
  isImmutable?: boolean;
  /** Additional headers. */
  headers?: Record<string, string>;
}

/** The file in one encoding. */
interface Representation {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

interface Prepared {
  plain: Representation;
  gzip: Representation;
}

/**
 * Serves one file, with a strong entity tag per encoding. It is loaded, encoded and compressed when it
 * is first requested. All responses stream slices of the same copy.
 *
 * @example
 * ```ts
 * app.get("/start.js", staticFile(loadScript, { type: "text/javascript", maxAge: 300 }));
 * ```
 */
export function staticFile(load: () => Promise<string>, options: StaticFileOptions): Handler<Env> {
  let prepared: Promise<Prepared> | undefined;
  return async (c: Context<Env>) => {
    prepared ??= load().then((text) => prepare(text, options));
    // The next request retries a load that failed.
    prepared.catch(() => prepared = undefined);
    const { plain, gzip } = await prepared;
    const { bytes, headers } = acceptsGzip(c.req.header("Accept-Encoding")) ? gzip : plain;
    if (matchesIfNoneMatch(c.req.header("If-None-Match"), headers["ETag"]!)) {
      const { "Content-Type": _, "Content-Length": __, "Content-Encoding": ___, ...rest } = headers;
      return c.body(null, 304, rest);
    }
    const isShort = bytes.length <= SLICE_BYTES;
    return c.body(isShort ? bytes : toSlices(bytes), 200, headers);
  };
}

async function prepare(
  text: string,
  { type, maxAge, isImmutable, headers }: StaticFileOptions,
): Promise<Prepared> {
  const bytes = new TextEncoder().encode(text);
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const compressed = await new Response(stream).bytes();
  const tag = entityTag(text);
  const shared = {
    ...headers,
    "Content-Type": type,
    "Cache-Control": `public, max-age=${maxAge}${isImmutable ? ", immutable" : ""}`,
    "Vary": "Accept-Encoding",
  };
  const represent = (bytes: Uint8Array<ArrayBuffer>, own: Record<string, string>) => ({
    bytes,
    headers: { ...shared, "Content-Length": String(bytes.length), ...own },
  });
  return {
    plain: represent(bytes, { "ETag": tag }),
    // Different bytes need a different strong tag (RFC 9110, 8.8.3).
    gzip: represent(compressed, {
      "ETag": tag.replace(/"$/, '-gzip"'),
      "Content-Encoding": "gzip",
    }),
  };
}

/** Returns whether gzip, or any coding, is accepted with a weight above 0 (RFC 9110, 12.5.3). */
function acceptsGzip(acceptEncoding = ""): boolean {
  const weights = new Map(
    acceptEncoding.toLowerCase().split(",").map((part) => {
      const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
      const weight = parameters.find((parameter) => parameter.startsWith("q="));
      return [coding, weight === undefined ? 1 : Number(weight.slice(2))];
    }),
  );
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}

function toSlices(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.subarray(offset, offset += SLICE_BYTES));
      if (offset >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}
