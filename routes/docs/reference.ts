import { html, raw } from "hono/html";
import type { OpenApiDocument, Operation, Parameter, Schema } from "../openapi/types.ts";
import {
  describeType,
  inlineCode,
  type Markup,
  schemaSection,
  toSentence,
} from "./schema_section.ts";

type Method = "get" | "post";

/** One call: an operation, with its method and path. */
interface Call extends Operation {
  method: Method;
  path: string;
}

const PROBLEM_TYPE = "application/problem+json";

/**
 * Renders the reference as HTML from the OpenAPI document, with each operation and schema collapsed.
 * Problems that every call with a token can return are listed once; an operation lists only its others.
 */
export function renderReference(document: OpenApiDocument): string {
  const calls = Object.entries(document.paths).flatMap(([path, operations]) =>
    (Object.entries(operations) as [Method, Operation][])
      .map(([method, operation]): Call => ({ ...operation, method, path }))
  );
  const withToken = calls.filter(({ security }) => security === undefined).map(problemsOf);
  const common = withToken[0]!.filter(({ slug }) =>
    withToken.every((problems) => problems.some((other) => other.slug === slug))
  );
  return String(html`
    <h2 id="operations">Operations</h2>
    <p>Open an operation for its parameters, examples and problems. <a href="docs/explorer">The explorer</a> makes calls from this page's origin; <a href="openapi.json">openapi.json</a> is for code generators.</p>
    ${calls.map((call) => renderCall(call, common.map(({ slug }) => slug)))}
    <h2 id="problems">Common problems</h2>
    <p>Every call below <code>/v1</code> can return these. Each name links to a page with an example.</p>
    ${renderProblems(common)}
    <h2 id="schemas">Schemas</h2>
    <p>Responses may gain fields and values within version 1: ignore those that you do not know.</p>
    ${Object.entries(document.components.schemas).map(([name, schema]) =>
      schemaSection(name, schema)
    )}
  `);
}

function renderCall(call: Call, common: string[]): Markup {
  const isPublic = call.security !== undefined;
  const own = problemsOf(call).filter(({ slug }) => isPublic || !common.includes(slug));
  return html`
    <details>
      <summary><span class="method">${call.method.toUpperCase()}</span> <code>${call
        .path}</code><span class="what">${call.summary}</span></summary>
      <div id="${call.operationId}">
    <p>${inlineCode(call.description)}${isPublic ? " No token is needed." : ""}</p>
    ${call.parameters === undefined ? "" : renderParameters(call.parameters)}
    ${renderBody("Request", call.requestBody?.content["application/json"])}
    ${Object.entries(call.responses)
      .filter(([status]) => Number(status) < 400)
      .map(([status, { description, content }]) =>
        html`<h3>${status}: ${description}</h3>${renderExamples(content?.["application/json"])}`
      )}
    <h3>Problems</h3>
    ${isPublic
      ? ""
      : html`<p>The <a href="#problems">common problems</a>${
        own.length === 0 ? "." : ", and:"
      }</p>`}
    ${renderProblems(own)}
      </div>
    </details>
  `;
}

function renderParameters(parameters: Parameter[]): Markup {
  return html`
    <h3>Parameters</h3>
    <dl>${parameters.map(({ name, in: place, required, description, schema }) =>
      html`
        <dt><code>${name}</code> in the ${place}${required ? "" : ", optional"}</dt>
        <dd>${description === undefined ? "" : inlineCode(toSentence(description))}${describeType(
          schema as Schema,
        )}</dd>
      `
    )}</dl>
  `;
}

type Content = NonNullable<Operation["requestBody"]>["content"][string];

function renderBody(title: string, content: Content | undefined): Markup {
  if (content === undefined) return html``;
  return html`<h3>${title}: ${describeType(content.schema as unknown as Schema)}</h3>${
    renderExamples(content)
  }`;
}

function renderExamples(content: Content | undefined): Markup {
  if (content === undefined) return html``;
  const examples = Object.values(content.examples ?? {})
    .flatMap((example) => "value" in example ? [example] : []);
  if (content.example !== undefined) examples.push({ summary: "", value: content.example });
  if (examples.length === 1) return renderJson(examples[0]!.value);
  return html`${
    examples.map(({ summary, value }) =>
      html`<details><summary>${summary}</summary>${renderJson(value)}</details>`
    )
  }`;
}

function renderJson(value: unknown): Markup {
  return html`<pre tabindex="0"><code>${JSON.stringify(value, null, 2)}</code></pre>`;
}

interface NamedProblem {
  slug: string;
  status: string;
}

function problemsOf({ responses }: Operation): NamedProblem[] {
  return Object.entries(responses).flatMap(([status, { content }]) =>
    Object.keys(content?.[PROBLEM_TYPE]?.examples ?? {}).map((slug) => ({ slug, status }))
  );
}

function renderProblems(problems: NamedProblem[]): Markup {
  if (problems.length === 0) return raw("");
  return html`<ul>${
    problems.map(({ slug, status }) =>
      html`<li>${status} <a href="problems/${slug}"><code>${slug}</code></a></li>`
    )
  }</ul>`;
}
