import { AssertionError } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { VERSION } from "../../config/version.ts";
import { openApiDocument } from "../../routes/openapi/document.ts";

const DOCUMENT = openApiDocument(VERSION);

interface Reference {
  $ref: string;
}

interface Header {
  required?: boolean;
  schema: { type: string };
}

export interface Media {
  schema: Reference;
  example?: unknown;
  examples?: Record<string, Reference | { value: unknown }>;
}

export interface DocumentedResponse {
  headers: Record<string, Reference>;
  content?: Record<string, Media>;
}

export interface Operation {
  method: string;
  /** As the document writes it: `/v1/tenants/{tenantId}/…`. */
  path: string;
  parameters: { schema: object; example?: unknown }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, DocumentedResponse>;
}

/** Every operation of the document. */
export const OPERATIONS: Operation[] = Object.entries(DOCUMENT.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      parameters: [],
      ...operation as object,
      method: method.toUpperCase(),
      path,
    } as unknown as Operation)),
);

const ajv = new Ajv2020({ allErrors: true });
addFormats.default(ajv);
// The members of the document beside its schemas. Within a schema an unknown keyword is an error.
ajv.addVocabulary([...Object.keys(DOCUMENT), "discriminator"]);
ajv.addSchema(closed(DOCUMENT), "openapi");

/** Rejects undocumented fields, which clients ignore: they may be private. */
function closed(value: object): object {
  return JSON.parse(JSON.stringify(value), (_, part) => {
    const isOpenObject = part?.type === "object" && part.properties !== undefined &&
      part.additionalProperties === undefined;
    return isOpenObject ? { ...part, additionalProperties: false } : part;
  });
}

/** Returns the part of the document at a local reference. */
export function resolve<T>({ $ref }: Reference): T {
  let part: unknown = DOCUMENT;
  for (const key of $ref.split("/").slice(1)) part = (part as Record<string, unknown>)[key];
  return part as T;
}

/** Returns the errors of `value` against the schema at a local reference. */
export function mismatches($ref: string, value: unknown): string[] {
  const validate = ajv.getSchema(`openapi${$ref}`);
  if (validate === undefined) return [`there is no ${$ref}`];
  if (validate(value)) return [];
  return validate.errors!.map(({ instancePath, message, params }) =>
    `${instancePath || "/"} ${message} ${JSON.stringify(params)}`
  );
}

/** Returns the documented operation of a call, if there is one. */
function operationOf(method: string, pathname: string): Operation | undefined {
  // The response to HEAD is that to GET without the body.
  const documented = method === "HEAD" ? "GET" : method;
  return OPERATIONS.find((operation) =>
    operation.method === documented &&
    new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(pathname)
  );
}

/** Throws if the response to a documented call is not a documented one. */
export async function assertDocumented(request: Request, response: Response): Promise<void> {
  const operation = operationOf(request.method, new URL(request.url).pathname);
  if (operation === undefined) return;
  const documented = operation.responses[response.status];
  const wrong = documented === undefined
    ? ["the status is not documented"]
    : [...wrongHeaders(documented, response), ...await wrongBody(documented, request, response)];
  if (wrong.length === 0) return;
  throw new AssertionError(
    `${request.method} ${operation.path} ${response.status} is not as documented: ` +
      wrong.join("; "),
  );
}

/** Headers that every response may have without documentation, because no client needs them. */
const GENERAL = new Set([
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
  "cache-control",
  "connection",
  "content-length",
  "content-security-policy",
  "content-type",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "referrer-policy",
  "strict-transport-security",
  "vary",
  "x-content-type-options",
  "x-frame-options",
  "x-permitted-cross-domain-policies",
]);

function wrongHeaders({ headers }: DocumentedResponse, response: Response): string[] {
  const known = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const unknown = [...response.headers.keys()]
    .filter((name) => !known.has(name) && !GENERAL.has(name))
    .map((name) => `the header ${name} is not documented`);
  return [...unknown, ...wrongDocumentedHeaders(headers, response)];
}

function wrongDocumentedHeaders(
  headers: DocumentedResponse["headers"],
  response: Response,
): string[] {
  return Object.entries(headers).flatMap(([name, reference]) => {
    const { required, schema } = resolve<Header>(reference);
    const value = response.headers.get(name);
    if (value === null) return required ? [`${name} is missing`] : [];
    const typed = schema.type === "integer" ? Number(value) : value;
    return mismatches(`${reference.$ref}/schema`, typed).map((what) => `${name}: ${what}`);
  });
}

async function wrongBody(
  { content }: DocumentedResponse,
  request: Request,
  response: Response,
): Promise<string[]> {
  const type = response.headers.get("Content-Type");
  const text = await response.clone().text();
  if (content === undefined) {
    return type === null && text === "" ? [] : [`there is a body: ${type} ${text.slice(0, 40)}`];
  }
  const media = content[type ?? ""];
  if (media === undefined) return [`the content type ${type} is not documented`];
  if (request.method === "HEAD") return text === "" ? [] : ["there is a body"];
  const body = JSON.parse(text);
  const wrong = mismatches(media.schema.$ref, body);
  if (type !== "application/problem+json") return wrong;
  if (body.status !== response.status) wrong.push(`the body says ${body.status}`);
  const types = Object.keys(media.examples ?? {}).map((slug) => `/problems/${slug}`);
  if (!types.some((path) => body.type.endsWith(path))) wrong.push(`${body.type} is not documented`);
  return wrong;
}
