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
    description: "The scheme of the token that is needed",
    required: true,
    schema: { type: "string", const: "Bearer" },
  },
};

export type HeaderName = keyof typeof HEADERS;

/** References to the headers of one answer. Every answer has a request id. */
export function headerRefs(names: readonly HeaderName[] = []) {
  return Object.fromEntries(
    ["X-Request-Id", ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}
