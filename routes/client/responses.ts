/** Distinguishes the service's responses from those of another server. */
import type { FieldError, Problem, Stored } from "./types.ts";

type Json = Record<string, unknown>;

export function isSupportRequest(value: unknown): boolean {
  return isObject(value) && hasText(value, "reference", "summary", "createdAt") &&
    isObject(value["context"]) && isObject(value["createdBy"]) && isHandoff(value["handoff"]);
}

export function isContextSummary(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { desk, handoffModes, supportRequest } = value;
  return (desk === null || isObject(desk) && hasText(desk, "label")) &&
    Array.isArray(handoffModes) &&
    (supportRequest === null || isSupportRequest(supportRequest));
}

export function isAuditEvents(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { events, nextCursor } = value;
  return (nextCursor === null || typeof nextCursor === "string") && Array.isArray(events) &&
    events.every((event) => isObject(event) && hasText(event, "event", "at", "reference"));
}

/** A status that a later version may add is accepted. */
function isHandoff(value: unknown): boolean {
  if (!isObject(value) || !hasText(value, "status")) return false;
  const { status, ticket } = value;
  const hasTicket = isObject(ticket) && hasText(ticket, "reference", "url");
  if (status === "created" || status === "linked") return hasTicket;
  return status !== "failed" || hasText(value, "reason", "summary");
}

/**
 * Returns a problem with every field that its type promises, or null if it is not a problem of the
 * service. A proxy may have changed the status in the body.
 */
export function parseProblem(
  value: unknown,
  status: number,
): { slug: string; problem: Problem } | null {
  if (!isObject(value) || !hasText(value, "type")) return null;
  const { type, title, detail, requestId, stored, errors } = value;
  const slug = /\/problems\/([a-z-]+)$/.exec(type as string)?.[1];
  if (slug === undefined) return null;
  const problem: Problem = {
    ...value,
    type: type as string,
    title: typeof title === "string" ? title : slug,
    status,
    detail: typeof detail === "string" ? detail : "",
    requestId: typeof requestId === "string" ? requestId : "",
  };
  delete problem.stored;
  if (isStored(stored)) problem.stored = stored;
  delete problem.errors;
  if (Array.isArray(errors)) problem.errors = errors.filter(isFieldError);
  return { slug, problem };
}

function isStored(value: unknown): value is Stored {
  return value === "no" || value === "yes" || value === "unknown";
}

function isFieldError(value: unknown): value is FieldError {
  return isObject(value) && hasText(value, "pointer", "detail");
}

function hasText(value: Json, ...names: string[]): boolean {
  return names.every((name) => typeof value[name] === "string");
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
