/** Checks what a response says before anything of it is shown: a proxy may send any JSON. */
import type { ContextSummary, HandoffMode, SupportRequest } from "./types.ts";

export const HANDOFF_MODES: readonly HandoffMode[] = ["create", "link", "none"];
export const SEVERITIES = ["low", "normal", "high", "critical"] as const;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is one of a closed set of texts; a name such as `constructor` never is. */
export function isOneOf<T extends string>(values: readonly T[], value: unknown): value is T {
  return (values as readonly unknown[]).includes(value);
}

/** Returns a string field of a value of any type, or an empty string if there is none. */
export function textIn(json: unknown, name: string): string {
  const text = isRecord(json) && json[name];
  return typeof text === "string" ? text : "";
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Returns the support request, with fields of a newer service; null if it is none. */
export function parseSupportRequest(json: unknown): SupportRequest | null {
  if (!isRecord(json)) return null;
  const { reference, summary, severity, createdAt, createdBy, handoff } = json;
  const isValid = isText(reference) && isText(summary) && isOneOf(SEVERITIES, severity) &&
    isText(createdAt) && Date.parse(createdAt) > 0 &&
    isRecord(createdBy) && isText(createdBy.name ?? createdBy.id) && isHandoff(handoff);
  return isValid ? json as unknown as SupportRequest : null;
}

/** Returns the context's summary, with the modes that are known here; null if it is none. */
export function parseContextSummary(json: unknown): ContextSummary | null {
  if (!isRecord(json) || !Array.isArray(json.handoffModes)) return null;
  const { desk, supportRequest } = json;
  const handoffModes = json.handoffModes.filter((mode) => isOneOf(HANDOFF_MODES, mode));
  const isValid = handoffModes.length > 0 &&
    (desk === null || isRecord(desk) && isText(desk.label)) &&
    (supportRequest === null || parseSupportRequest(supportRequest));
  return isValid ? { desk, handoffModes, supportRequest } as ContextSummary : null;
}

function isHandoff(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { status, ticket, reason, ticketMayExist } = value;
  return status === "none" || status === "pending" ||
    (status === "created" || status === "linked") &&
      isRecord(ticket) && isText(ticket.reference) && isText(ticket.url) ||
    status === "failed" && isText(reason) && typeof ticketMayExist === "boolean";
}
