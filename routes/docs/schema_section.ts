import { html, raw } from "hono/html";
import type { Schema } from "../openapi/types.ts";

/** HTML, with all text in it escaped. */
export type Markup = ReturnType<typeof html>;

/** Renders one schema, collapsed: its description, and its fields or alternatives. */
export function schemaSection(name: string, schema: Schema): Markup {
  const { description = "", oneOf } = schema as { description?: string; oneOf?: Schema[] };
  return html`
    <details>
      <summary><code>${name}</code></summary>
      <div id="schema-${name}">
    <p>${inlineCode(description)}</p>
    ${oneOf === undefined
      ? renderFields(schema)
      : html`<p>One of ${join(oneOf.map(describeType))}.</p>`}
      </div>
    </details>
  `;
}

function renderFields(schema: Schema): Markup {
  const required = (schema["required"] ?? []) as string[];
  const fields = Object.entries((schema["properties"] ?? {}) as Record<string, Schema>);
  return html`<dl>${
    fields.map(([name, field]) =>
      html`
        <dt><code>${name}</code>${required.includes(name) ? "" : ", optional"}</dt>
        <dd>${field["description"] === undefined
          ? ""
          : inlineCode(toSentence(String(field["description"])))}${describeType(field)}</dd>
      `
    )
  }</dl>`;
}

/** Returns the type of a value in words. */
export function describeType(schema: Schema): Markup {
  const { $ref, anyOf, const: value, enum: values, items, type, properties } = schema as {
    $ref?: string;
    anyOf?: Schema[];
    const?: string;
    enum?: string[];
    items?: Schema;
    type?: string | string[];
    properties?: Record<string, Schema>;
  };
  if ($ref !== undefined) {
    const name = $ref.split("/").at(-1)!;
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (anyOf !== undefined) {
    const others = join(anyOf.filter(({ type }) => type !== "null").map(describeType));
    return anyOf.some(({ type }) => type === "null") ? html`${others}, or null` : others;
  }
  if (value !== undefined) return html`<code>${value}</code>`;
  if (values !== undefined) return join(values.map((each) => html`<code>${each}</code>`));
  if (items !== undefined) return html`list of ${describeType(items)}`;
  if (properties !== undefined) {
    const names = Object.keys(properties).map((name) => html`<code>${name}</code>`);
    return html`object with ${join(names, "and")}`;
  }
  if (Array.isArray(type)) return join(type.map((each) => html`${each}`));
  return html`${describeScalar(schema, type)}`;
}

function describeScalar(schema: Schema, type = "any value"): Markup {
  const { maxLength, pattern, format, minimum, maximum, default: standard, additionalProperties } =
    schema as Record<string, string | number | Schema | undefined>;
  if (format === "date-time") return html`time, ISO 8601 in UTC`;
  if (format !== undefined) return html`${format}`;
  if (type === "object" && additionalProperties !== undefined) {
    return html`object whose values are ${describeType(additionalProperties as Schema)}`;
  }
  const limits = [
    maxLength === undefined || pattern !== undefined ? "" : html`, at most ${maxLength} characters`,
    pattern === undefined ? "" : html`
      that matches <code>${pattern}</code>
    `,
    maximum === undefined || Number(maximum) > 1e9 ? "" : html`, ${minimum} to ${maximum}`,
    standard === undefined ? "" : html`, ${standard} by default`,
  ];
  return html`${type}${limits}`;
}

/** Ends a description with one period: those of the OpenAPI document have one or none. */
export function toSentence(text: string): string {
  return `${text.replace(/\.$/, "")}. `;
}

/** Returns text in which Markdown's backticks mark code. */
export function inlineCode(text: string): Markup {
  return html`${
    text.split("`").map((part, i) => i % 2 === 0 ? html`${part}` : html`<code>${part}</code>`)
  }`;
}

function join(parts: Markup[], last = "or"): Markup {
  return html`${
    parts.map((part, i) =>
      html`${part}${i === parts.length - 1 ? "" : i === parts.length - 2 ? raw(` ${last} `) : ", "}`
    )
  }`;
}
