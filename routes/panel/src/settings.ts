/// <reference lib="dom" />
import { HANDOFF_MODES, isOneOf, isRecord, SEVERITIES } from "./parse.ts";
import type { Draft, FieldName } from "./submission.ts";
import type { ContextState } from "./state.ts";
import type { HandoffMode } from "./types.ts";

/** Properties of the element that no attribute can hold. Pages set them, so they may be anything. */
export interface Settings {
  getToken?: unknown;
  contact?: unknown;
  diagnostics?: unknown;
  texts?: unknown;
}

/** Returns the words of an attribute that holds a list. */
export function wordsOf(element: Element, attribute: string): string[] {
  return (element.getAttribute(attribute) ?? "").split(/[\s,]+/).filter(Boolean);
}

/** Returns the fields that the page has filled in, so that the form can leave them out. */
export function prefilled(
  element: Element,
  { contact }: Settings,
  { revealed }: ContextState,
): Partial<Draft> {
  const { name, email }: Record<string, unknown> = isRecord(contact) ? contact : {};
  const severity = element.getAttribute("severity");
  const known: Partial<Draft> = {};
  for (const [key, value] of Object.entries({ name, email, severity })) {
    const isValid = key === "severity"
      ? isOneOf(SEVERITIES, value)
      : typeof value === "string" && value.trim();
    if (isValid && !revealed.includes(key)) known[key as FieldName] = value as string;
  }
  return known;
}

/** Returns the modes that the service offers and the page allows, in the page's order. */
export function offeredModes(element: Element, { summary }: ContextState): HandoffMode[] {
  const allowed = wordsOf(element, "modes").filter((mode) => isOneOf(HANDOFF_MODES, mode));
  const modes = summary?.handoffModes ?? [];
  const offered = allowed.filter((mode) => !summary || modes.includes(mode));
  // A request that cannot go where the page wants it is better saved than impossible.
  return [offered, modes].find((modes) => modes.length > 0) ?? ["create"];
}

/** Returns the draft as it would be sent. */
export function effectiveDraft(element: Element, settings: Settings, state: ContextState): Draft {
  const draft = { ...state.draft, ...prefilled(element, settings, state) };
  const modes = offeredModes(element, state);
  return isOneOf(modes, draft.mode) ? draft : { ...draft, mode: modes[0]! };
}
