/// <reference lib="dom" />
import { logError } from "./log_error.ts";
import { isRecord } from "./parse.ts";
import type { Diagnostics } from "./types.ts";
import { within } from "./within.ts";

/** How long a page's function may take to collect its diagnostics, in milliseconds. */
const COLLECT_TIMEOUT_MS = 3_000;

/** More than the service stores, so that it can say which are left out. */
const MAX_KEYS = 40;

export type DiagnosticsSource = Diagnostics | (() => Diagnostics | Promise<Diagnostics>);

/**
 * Returns what to send with a submission. Diagnostics help, and never cost a person the request: if
 * they cannot be collected, the request goes without them and says so.
 */
export async function collectDiagnostics(
  source: unknown,
  collect: readonly string[],
): Promise<Record<string, string>> {
  const page: Diagnostics = {
    // Without its query and fragment, which may hold secrets.
    "page-url": location.origin + location.pathname,
    "user-agent": navigator.userAgent,
  };
  const collected: Diagnostics = Object.fromEntries(collect.map((name) => [name, page[name]]));
  try {
    const own: unknown = await within(
      COLLECT_TIMEOUT_MS,
      typeof source === "function" ? source() : source,
    );
    if (isRecord(own)) Object.assign(collected, own);
    else if (own ?? false) throw new Error("diagnostics is no object");
  } catch (error) {
    logError(error);
    collected.diagnostics = "could not be collected";
  }
  const entries = Object.entries(collected).map(([key, value]) => [key, toText(value)] as const)
    .filter(([key, text]) => text && key !== "__proto__");
  return Object.fromEntries(entries.slice(0, MAX_KEYS));
}

function toText(value: unknown): string {
  try {
    return String(typeof value === "object" && value ? JSON.stringify(value) : value ?? "");
  } catch {
    // Refers to itself, or has no text.
    return "(not readable)";
  }
}
