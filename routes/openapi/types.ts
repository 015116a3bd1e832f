/** The parts of OpenAPI 3.1 that the document uses. */

export interface Reference {
  $ref: string;
}

/** A JSON Schema. */
export type Schema = Record<string, unknown>;

export interface Example {
  summary: string;
  value: unknown;
}

export interface MediaType {
  schema: Reference;
  example?: unknown;
  examples?: Record<string, Example | Reference>;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: Schema;
  example?: string;
}

export interface Header {
  description: string;
  required?: boolean;
  schema: Schema;
}

/** One response of an operation; `Response` is the web's. */
export interface ResponseObject {
  description: string;
  headers: Record<string, Reference>;
  content?: Record<string, MediaType>;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  /** Absent for the document's default: a token. */
  security?: [];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, MediaType> };
  responses: Record<string, ResponseObject>;
}

export interface OpenApiDocument {
  openapi: string;
  info: {
    title: string;
    version: string;
    description: string;
    contact: { name: string };
    license: { name: string; identifier: string };
  };
  servers: { url: string; description: string }[];
  security: Record<string, string[]>[];
  tags: { name: string; description: string }[];
  paths: Record<string, { get?: Operation; post?: Operation }>;
  components: {
    securitySchemes: Record<string, Record<string, string>>;
    schemas: Record<string, Schema>;
    headers: Record<string, Header>;
    examples: Record<string, Example>;
  };
}
