import type { Reference } from "../domain/model/reference.ts";
import type { SupportRequest } from "../domain/model/support_request.ts";

/** Request Tracker cuts a longer subject at this byte, through a character if need be. */
const MAX_SUBJECT_BYTES = 200;

const ELLIPSIS = "…";

/**
 * What can make a subject read other than it is: controls, marks that reverse the text, and
 * characters without a shape. Joiners and variation selectors stay after a character beyond
 * ASCII: Persian, the scripts of India and emoji are misspelt without them.
 */
const DECEPTIVE =
  /(?<![^\p{ASCII}\p{DI}]\uFE0F?)[\u200C\u200D\uFE0E\uFE0F]|[[\p{DI}\p{Bidi_C}\p{Cc}\p{Zl}\p{Zp}\uFFF9-\uFFFB]--[\u200C\u200D\uFE0E\uFE0F]]/gv;

const encoder = new TextEncoder();

/** `[SR-…] summary`: at most 200 bytes of UTF-8, cut between characters as people see them. */
export function ticketSubject(reference: Reference, summary: string): string {
  const prefix = `[${reference}] `;
  const shown = stripDeceptive(summary) || "Support request";
  return prefix + truncate(shown, MAX_SUBJECT_BYTES - byteLength(prefix));
}

/**
 * The ticket's plain text: everything that the desk's people need. What the person wrote is
 * indented, so that no line of it can pass for one of ours.
 */
export function ticketContent(request: SupportRequest): string {
  const { context, contact, createdBy } = request;
  const head = [
    `Reference: ${request.reference}`,
    `Tenant: ${context.tenantId}`,
    ...(context.kind === "run" ? [`Run: ${context.runId}`] : []),
    `Severity: ${request.severity}`,
    `Asked at: ${request.createdAt}`,
    `Asked by: ${formatPerson(createdBy.id, createdBy.name)}`,
  ];
  if (contact?.email) head.push(`Contact: ${formatPerson(contact.email, contact.name)}`);
  else if (contact?.name) head.push(`Contact: ${stripDeceptive(contact.name)}`);

  const sections = [head.join("\n"), formatSection("Summary", [request.summary])];
  if (request.description) {
    sections.push(formatSection("Description", request.description.split(/\r?\n/)));
  }
  const diagnostics = Object.entries(request.diagnostics ?? {});
  if (diagnostics.length > 0) {
    sections.push(formatSection("Diagnostics", diagnostics.flatMap(formatDiagnostic)));
  }
  return sections.join("\n\n") + "\n";
}

/** The id comes first: a name is free text, and could imitate what follows it. */
function formatPerson(id: string, name: string | undefined): string {
  return name ? `${stripDeceptive(id)} (${stripDeceptive(name)})` : stripDeceptive(id);
}

/** A value of several lines stands below its key, so that none of them can pass for another key. */
function formatDiagnostic([key, value]: [string, string]): string[] {
  const lines = value.split("\n");
  return lines.length === 1
    ? [`${key}: ${value}`]
    : [`${key}:`, ...lines.map((line) => `    ${line}`)];
}

function formatSection(title: string, lines: string[]): string {
  return [`${title}:`, ...lines.map(indent)].join("\n");
}

/**
 * By no-break spaces: Request Tracker's page drops other ones at the start of a line, tabs too, and
 * hides a line that ">" begins as a quotation.
 */
function indent(line: string): string {
  return `    ${line}`.replace(
    /^[ \t]+/,
    (blanks) => "\u00A0".repeat(blanks.replaceAll("\t", "    ").length),
  ).trimEnd();
}

function stripDeceptive(text: string): string {
  return text.toWellFormed().replace(DECEPTIVE, "").trim();
}

function truncate(text: string, maxBytes: number): string {
  if (byteLength(text) <= maxBytes) return text;
  const room = maxBytes - byteLength(ELLIPSIS);
  // Made when a subject is cut: making one takes longer than loading all of this folder.
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    if (byteLength(kept + segment) > room) break;
    kept += segment;
  }
  return kept.trimEnd() + ELLIPSIS;
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
