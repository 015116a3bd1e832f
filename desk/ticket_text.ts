import type { Reference } from "../domain/model/reference.ts";
import type { SupportRequest } from "../domain/model/support_request.ts";

/** Request Tracker truncates longer subjects after this many bytes, even within a character. */
const MAX_SUBJECT_BYTES = 200;

const ELLIPSIS = "…";

/**
 * Characters that can disguise text: control characters, bidirectional formatting and invisible
 * characters. Joiners and variation selectors are kept after a non-ASCII character, because
 * Persian, Indic scripts and emoji need them.
 */
const DECEPTIVE =
  /(?<![^\p{ASCII}\p{DI}]\uFE0F?)[\u200C\u200D\uFE0E\uFE0F]|[[\p{DI}\p{Bidi_C}\p{Cc}\p{Zl}\p{Zp}\uFFF9-\uFFFB]--[\u200C\u200D\uFE0E\uFE0F]]/gv;

const encoder = new TextEncoder();

/** Returns `[SR-…] summary`, truncated to 200 bytes of UTF-8 at a grapheme boundary. */
export function ticketSubject(reference: Reference, summary: string): string {
  const prefix = `[${reference}] `;
  const title = stripDeceptive(summary) || "Support request";
  return prefix + truncateToBytes(title, MAX_SUBJECT_BYTES - byteLength(prefix));
}

/**
 * Returns the ticket's plain text with everything that support agents need. Text that the user
 * typed is indented, so that no line of it can imitate one of ours.
 */
export function ticketContent(request: SupportRequest): string {
  const { context, contact, createdBy } = request;
  const head = [
    `Reference: ${request.reference}`,
    `Tenant: ${context.tenantId}`,
    ...(context.kind === "run" ? [`Run: ${context.runId}`] : []),
    `Severity: ${request.severity}`,
    `Submitted at: ${request.createdAt}`,
    `Submitted by: ${formatPerson(createdBy.id, createdBy.name)}`,
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

/** The id comes first, because a free-text name could imitate one. */
function formatPerson(id: string, name: string | undefined): string {
  return name ? `${stripDeceptive(id)} (${stripDeceptive(name)})` : stripDeceptive(id);
}

/** Puts a multi-line value below its key, so that none of its lines can imitate another key. */
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
 * Indents with no-break spaces: Request Tracker's web page strips other leading blanks, including
 * tabs, and collapses lines that start with ">" as quoted text.
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

function truncateToBytes(text: string, maxBytes: number): string {
  if (byteLength(text) <= maxBytes) return text;
  const room = maxBytes - byteLength(ELLIPSIS);
  // Created only when needed: constructing a Segmenter takes longer than loading this whole folder.
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
  let truncated = "";
  for (const { segment } of graphemes.segment(text)) {
    if (byteLength(truncated + segment) > room) break;
    truncated += segment;
  }
  return truncated.trimEnd() + ELLIPSIS;
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
