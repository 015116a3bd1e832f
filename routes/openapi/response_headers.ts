/** The headers of answers that a client may build on. */
export const HEADERS = {
  "X-Request-Id": {
    description: "Names this answer in the service's log",
    required: true,
    schema: { type: "string" },
  },
  "Idempotent-Replayed": {
    description: "There, and `true`, where the request had been stored before",
    schema: { type: "string", const: "true" },
  },
  "ETag": {
    description: "Changes with anything in the summary",
    required: true,
    schema: { type: "string" },
  },
  "Retry-After": {
    description: "Seconds to wait before asking again",
    required: true,
    schema: { type: "integer", minimum: 1 },
  },
  "WWW-Authenticate": {
    description: "The challenge of RFC 6750: `Bearer` alone if no token was sent, otherwise with " +
      '`error="invalid_token"`, or with `error="insufficient_scope"` and the `scope` that is needed',
    required: true,
    schema: {
      type: "string",
      pattern:
        '^Bearer( error="invalid_token"| error="insufficient_scope", scope="[a-z_]+:[a-z_]+")?$',
    },
  },
};

export type HeaderName = keyof typeof HEADERS;

/** References to the headers of one answer. Every answer has a request id. */
export function headerRefs(names: readonly HeaderName[] = []) {
  return Object.fromEntries(
    ["X-Request-Id", ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}
