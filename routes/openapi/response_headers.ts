import type { Header, Reference } from "./types.ts";

/** The response headers that clients may rely on. */
export const HEADERS = {
  "X-Request-Id": {
    description: "Identifies this request in the service's log",
    required: true,
    schema: { type: "string" },
  },
  "Idempotent-Replayed": {
    description: "`true` if an earlier submission with the same key stored it; otherwise absent",
    schema: { type: "string", const: "true" },
  },
  "ETag": {
    description: "The entity tag of the summary",
    required: true,
    schema: { type: "string" },
  },
  "Retry-After": {
    description: "Seconds to wait before a retry",
    required: true,
    schema: { type: "integer", minimum: 1 },
  },
  "WWW-Authenticate": {
    description: "The challenge of RFC 6750: `Bearer` alone if no token was sent, otherwise with " +
      '`error="invalid_token"`, or with `error="insufficient_scope"` and the required `scope`',
    required: true,
    schema: {
      type: "string",
      pattern:
        '^Bearer( error="invalid_token"| error="insufficient_scope", scope="[a-z_]+:[a-z_]+")?$',
    },
  },
} satisfies Record<string, Header>;

export type HeaderName = keyof typeof HEADERS;

/** Returns references to the headers of one response. Every response has a request ID. */
export function headerRefs(names: readonly HeaderName[] = []): Record<string, Reference> {
  return Object.fromEntries(
    ["X-Request-Id", ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}
