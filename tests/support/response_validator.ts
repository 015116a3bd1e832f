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

export interface DocumentedAnswer {
  headers: Record<string, Reference>;
  content?: Record<string, Media>;
}

export interface Operation {
  method: string;
  /** As the document writes it: `/v1/tenants/{tenantId}/…`. */
  path: string;
  parameters: { schema: object; example?: unknown }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, DocumentedAnswer>;
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
// What the document has around its schemas. Within them an unknown keyword is an error.
ajv.addVocabulary([...Object.keys(DOCUMENT), "discriminator"]);
ajv.addSchema(closed(DOCUMENT), "contract");

/** Clients must put up with a new field; a test must not: it may be one that nobody is to see. */
function closed(value: object): object {
  return JSON.parse(JSON.stringify(value), (_, part) => {
    const isOpenObject = part?.type === "object" && part.properties !== undefined &&
      part.additionalProperties === undefined;
    return isOpenObject ? { ...part, additionalProperties: false } : part;
  });
}

/** What the document has at a local reference. */
export function resolve<T>({ $ref }: Reference): T {
  let part: unknown = DOCUMENT;
  for (const key of $ref.split("/").slice(1)) part = (part as Record<string, unknown>)[key];
  return part as T;
}

/** What is wrong with `value`, held against the schema at a local reference; empty if nothing is. */
export function mismatches($ref: string, value: unknown): string[] {
  const validate = ajv.getSchema(`contract${$ref}`);
  if (validate === undefined) return [`there is no ${$ref}`];
  if (validate(value)) return [];
  return validate.errors!.map(({ instancePath, message, params }) =>
    `${instancePath || "/"} ${message} ${JSON.stringify(params)}`
  );
}

/** The operation that answers a call, if the document knows one. */
export function operationOf(method: string, pathname: string): Operation | undefined {
  // HEAD is answered as GET is, without the body.
  const documented = method === "HEAD" ? "GET" : method;
  return OPERATIONS.find((operation) =>
    operation.method === documented &&
    new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(pathname)
  );
}

/** Throws where an answer to a call that the document knows is not one that it promises. */
export async function assertDocumented(request: Request, answer: Response): Promise<void> {
  const operation = operationOf(request.method, new URL(request.url).pathname);
  if (operation === undefined) return;
  const documented = operation.responses[answer.status];
  const wrong = documented === undefined
    ? ["the status is not documented"]
    : [...wrongHeaders(documented, answer), ...await wrongBody(documented, request, answer)];
  if (wrong.length === 0) return;
  throw new AssertionError(
    `${request.method} ${operation.path} ${answer.status}, held against the contract: ` +
      wrong.join("; "),
  );
}

/** Headers that every response may have, and that no client needs to read. */
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
  "cross-origin-resource-policy",
  "referrer-policy",
  "strict-transport-security",
  "vary",
  "x-content-type-options",
  "x-frame-options",
]);

function wrongHeaders({ headers }: DocumentedAnswer, answer: Response): string[] {
  const known = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const unknown = [...answer.headers.keys()]
    .filter((name) => !known.has(name) && !GENERAL.has(name))
    .map((name) => `the header ${name} is not documented`);
  return [...unknown, ...wrongDocumentedHeaders(headers, answer)];
}

function wrongDocumentedHeaders(
  headers: DocumentedAnswer["headers"],
  answer: Response,
): string[] {
  return Object.entries(headers).flatMap(([name, reference]) => {
    const { required, schema } = resolve<Header>(reference);
    const value = answer.headers.get(name);
    if (value === null) return required ? [`${name} is missing`] : [];
    const typed = schema.type === "integer" ? Number(value) : value;
    return mismatches(`${reference.$ref}/schema`, typed).map((what) => `${name}: ${what}`);
  });
}

async function wrongBody(
  { content }: DocumentedAnswer,
  request: Request,
  answer: Response,
): Promise<string[]> {
  const type = answer.headers.get("Content-Type");
  const text = await answer.clone().text();
  if (content === undefined) {
    return type === null && text === "" ? [] : [`there is a body: ${type} ${text.slice(0, 40)}`];
  }
  const media = content[type ?? ""];
  if (media === undefined) return [`the content type ${type} is not documented`];
  if (request.method === "HEAD") return text === "" ? [] : ["there is a body"];
  const body = JSON.parse(text);
  const wrong = mismatches(media.schema.$ref, body);
  if (type !== "application/problem+json") return wrong;
  if (body.status !== answer.status) wrong.push(`the body says ${body.status}`);
  const types = Object.keys(media.examples ?? {}).map((slug) => `/problems/${slug}`);
  if (!types.some((path) => body.type.endsWith(path))) wrong.push(`${body.type} is not documented`);
  return wrong;
}
