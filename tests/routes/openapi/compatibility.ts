/** Finds changes between two OpenAPI documents that break clients of the older one. */

type Json = Record<string, unknown>;

/** Requests must still be accepted; responses must still be what clients expect. */
type Direction = "request" | "response";

/** The compared parts of a schema. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  items?: Schema;
  pattern?: string;
  format?: string;
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, {
    headers?: Json;
    content?: Record<string, { schema: Schema; examples?: Json }>;
  }>;
}

export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: unknown;
}

/** Returns the changes from `before` to `after` that break clients, each as one line. */
export function breakingChanges(before: Document, after: Document): string[] {
  const found: string[] = [];
  for (const [path, methods] of Object.entries(before.paths)) {
    for (const [method, old] of Object.entries(methods)) {
      const at = `${method.toUpperCase()} ${path}`;
      const current = after.paths[path]?.[method];
      if (current === undefined) found.push(`${at}: removed`);
      else found.push(...ofOperation(old, current).map((change) => `${at}: ${change}`));
    }
  }
  return [...new Set(found)].sort();

  function ofOperation(old: Operation, current: Operation): string[] {
    return [
      ...old.operationId === current.operationId ? [] : ["operationId changed"],
      ...ofParameters(old, current),
      ...ofContent("request", "body", old.requestBody?.content, current.requestBody?.content),
      ...Object.entries(old.responses).flatMap(([status, response]) => {
        const now = current.responses[status];
        if (now === undefined) return [`${status}: removed`];
        return [
          ...without(Object.keys(response.headers ?? {}), Object.keys(now.headers ?? {}))
            .map((name) => `${status}: header ${name} removed`),
          ...ofContent("response", status, response.content, now.content),
        ];
      }),
    ];
  }

  function ofParameters({ parameters: old = [] }: Operation, { parameters = [] }: Operation) {
    const added = parameters.filter(({ name, required }) =>
      required && !old.some((one) => one.name === name && one.required)
    );
    return [
      ...added.map(({ name }) => `parameter ${name} is now required`),
      ...old.flatMap(({ name, schema }) => {
        const now = parameters.find((one) => one.name === name);
        if (now === undefined) return [`parameter ${name} removed`];
        return ofSchemas("request", `parameter ${name}`, schema, now.schema);
      }),
    ];
  }

  function ofContent(
    direction: Direction,
    at: string,
    old: Record<string, { schema: Schema; examples?: Json }> = {},
    current: typeof old = {},
  ): string[] {
    return Object.entries(old).flatMap(([type, { schema, examples = {} }]) => {
      const now = current[type];
      if (now === undefined) return [`${at}: ${type} removed`];
      const problems = type === "application/problem+json"
        ? without(Object.keys(examples), Object.keys(now.examples ?? {}))
        : [];
      return [
        ...problems.map((slug) => `${at}: problem ${slug} removed`),
        ...ofSchemas(direction, at, schema, now.schema),
      ];
    });
  }

  function ofSchemas(direction: Direction, at: string, old: Schema, current: Schema): string[] {
    const [was, is] = [forms(old, before), forms(current, after)];
    const [expected, offered] = direction === "request" ? [was, is] : [is, was];
    const changes = without([...expected.keys()], [...offered.keys()])
      .map((form) => `${at}: form ${form} ${direction === "request" ? "removed" : "added"}`);
    for (const [name, form] of was) {
      const now = is.get(name);
      if (now !== undefined) changes.push(...ofForms(direction, at, form, now));
    }
    return changes;
  }

  function ofForms(direction: Direction, at: string, old: Schema, current: Schema): string[] {
    const isRequest = direction === "request";
    const [properties, now] = [old.properties ?? {}, current.properties ?? {}];
    const [narrow, wide] = isRequest ? [old, current] : [current, old];
    const wasRequired = old.required ?? [];
    const isRequired = current.required ?? [];
    return [
      ...isWithin(valuesOf(narrow), valuesOf(wide)) ? [] : [`${at}: values changed`],
      ...(["pattern", "format"] as const)
        .filter((key) => wide[key] !== undefined && wide[key] !== narrow[key])
        .map((key) => `${at}: ${key} changed`),
      ...isRequest ? tighterLimits(old, current).map((limit) => `${at}: ${limit} tightened`) : [],
      ...without(Object.keys(properties), Object.keys(now)).map((name) => `${at}.${name}: removed`),
      ...isRequest
        ? without(isRequired, wasRequired).map((name) => `${at}.${name}: is now required`)
        : without(wasRequired, isRequired).map((name) => `${at}.${name}: is now optional`),
      ...Object.keys(properties).filter((name) => name in now).flatMap((name) =>
        ofSchemas(direction, `${at}.${name}`, properties[name]!, now[name]!)
      ),
      ...(["items", "propertyNames", "additionalProperties"] as const).flatMap((key) => {
        const [before, after] = [old[key], current[key]];
        return typeof before === "object" && typeof after === "object"
          ? ofSchemas(direction, `${at}.${key}`, before, after)
          : [];
      }),
    ];
  }
}

const LIMITS = {
  maxLength: 1,
  maxItems: 1,
  maxProperties: 1,
  maximum: 1,
  minLength: -1,
  minimum: -1,
};

/** Returns the limits that have become tighter. */
function tighterLimits(before: Schema, after: Schema): string[] {
  return Object.entries(LIMITS).filter(([limit, sign]) => {
    const [was, is] = [before, after].map((schema) =>
      (schema as Json)[limit] as number | undefined
    );
    if (is === undefined) return false;
    const none = limit === "minLength" ? 0 : sign * Infinity;
    return sign * is < sign * (was ?? none);
  }).map(([limit]) => limit);
}

function valuesOf(schema: Schema): unknown[] | undefined {
  return schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
}

/** Returns whether every value of `narrow` is in `wide`. Undefined means any value. */
function isWithin(narrow: unknown[] | undefined, wide: unknown[] | undefined): boolean {
  if (wide === undefined) return true;
  return narrow !== undefined && without(narrow, wide).length === 0;
}

/** Returns the forms that a value may have, by their constants or else by their types. */
function forms(schema: Schema, document: Document): Map<string, Schema> {
  const { $ref, anyOf, oneOf, type } = schema;
  if ($ref !== undefined) {
    let part: unknown = document;
    for (const key of $ref.split("/").slice(1)) part = (part as Json)[key];
    return forms(part as Schema, document);
  }
  const union = anyOf ?? oneOf;
  if (union) return new Map(union.flatMap((form) => [...forms(form, document)]).reverse());
  if (Array.isArray(type)) return new Map(type.map((one) => [one, { ...schema, type: one }]));
  const constants = Object.values(schema.properties ?? {}).map((property) => property.const)
    .filter((value) => value !== undefined);
  return new Map([[constants.join(",") || (type ?? "any"), schema]]);
}

function without<T>(all: T[], others: T[]): T[] {
  return all.filter((one) => !others.includes(one));
}
