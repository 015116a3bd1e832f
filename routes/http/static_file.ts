import type { Context, Handler } from "hono";
import { entityTag, matchesIfNoneMatch } from "./entity_tag.ts";
import type { Env } from "./env.ts";
import { withDefaultHeaders } from "./headers.ts";

/**
 * How much of a file one response holds that nobody reads, in bytes. A response made of the whole
 * file is copied for each request: 1,000 unread ones of 1.7 MB took 1.7 GB.
 */
const SLICE_BYTES = 16 * 1024;

export interface StaticFileOptions {
  /** The content type. */
  type: string;
  /** How long caches keep it, in seconds. */
  maxAge: number;
  /** Whether the URL names these very bytes, so that no cache need revalidate them (RFC 8246). */
  isImmutable?: boolean;
  /** Headers beside those of every response. */
  headers?: Record<string, string>;
}

/** A file as it is sent. */
interface Representation {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

interface Prepared {
  plain: Representation;
  gzip: Representation;
}

/**
 * Serves one file, of which every response has a slice at a time from the same copy. It is loaded,
 * encoded, compressed and given its strong entity tags when it is first requested.
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
    // A load that failed is tried again by the next request.
    prepared.catch(() => prepared = undefined);
    const { plain, gzip } = await prepared;
    const { bytes, headers } = acceptsGzip(c.req.header("Accept-Encoding")) ? gzip : plain;
    if (matchesIfNoneMatch(c.req.header("If-None-Match"), headers["ETag"]!)) {
      const { "Content-Type": _, "Content-Length": __, "Content-Encoding": ___, ...rest } = headers;
      return new Response(null, { status: 304, headers: withDefaultHeaders(c, rest) });
    }
    const isShort = bytes.length <= SLICE_BYTES;
    return new Response(isShort ? bytes : toSlices(bytes), {
      headers: withDefaultHeaders(c, headers),
    });
  };
}

async function prepare(
  text: string,
  { type, maxAge, isImmutable, headers }: StaticFileOptions,
): Promise<Prepared> {
  const bytes = new TextEncoder().encode(text);
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const compressed = await new Response(stream).bytes();
  const tag = await entityTag(text);
  const common = {
    ...headers,
    "Content-Type": type,
    "Cache-Control": `public, max-age=${maxAge}${isImmutable ? ", immutable" : ""}`,
    "Vary": "Accept-Encoding",
  };
  const represent = (bytes: Uint8Array<ArrayBuffer>, own: Record<string, string>) => ({
    bytes,
    headers: { ...common, "Content-Length": String(bytes.length), ...own },
  });
  return {
    plain: represent(bytes, { "ETag": tag }),
    // What has other bytes has another strong tag (RFC 9110, 8.8.3).
    gzip: represent(compressed, {
      "ETag": tag.replace(/"$/, '-gzip"'),
      "Content-Encoding": "gzip",
    }),
  };
}

/** Whether gzip, or any coding, is named with a weight over 0 (RFC 9110, 12.5.3). */
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
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.subarray(at, at += SLICE_BYTES));
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}
