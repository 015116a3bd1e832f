/// <reference lib="dom" />
import { HANDOFF_MODES, isOneOf, SEVERITIES, textIn } from "./parse.ts";
import type { ContextState } from "./state.ts";
import type { Draft } from "./submission.ts";
import type { HandoffMode } from "./types.ts";

/** Properties of the element that no attribute can hold. Pages set them, so they may be anything. */
export interface Settings {
  getToken?: unknown;
  contact?: unknown;
  diagnostics?: unknown;
  texts?: unknown;
}

/** An element, and what the page has set on it. */
interface Configured {
  element: Element;
  settings: Settings;
}

/** Returns the words of an attribute that holds a list. */
export function wordsOf(element: Element, attribute: string): string[] {
  return (element.getAttribute(attribute) ?? "").split(/[\s,]+/).filter(Boolean);
}

/** Returns the modes that the page allows; none if it leaves that to the service. */
export function allowedModes(element: Element): HandoffMode[] {
  return wordsOf(element, "modes").filter((mode) => isOneOf(HANDOFF_MODES, mode));
}

/** Returns the fields that the page has filled in, so that the form can leave them out. */
export function prefilled(
  { element, settings: { contact } }: Configured,
  { revealed }: ContextState,
): Partial<Draft> {
  const severity = element.getAttribute("severity");
  const known = Object.entries({
    name: textIn(contact, "name"),
    email: textIn(contact, "email"),
    severity: isOneOf(SEVERITIES, severity) ? severity : "",
  });
  return Object.fromEntries(known.filter(([key, text]) => text.trim() && !revealed.includes(key)));
}

/** Returns the modes that the service offers and the page allows, in the page's order. */
export function offeredModes(element: Element, { summary }: ContextState): HandoffMode[] {
  const allowed = allowedModes(element);
  const modes = summary?.handoffModes;
  const offered = modes ? allowed.filter((mode) => modes.includes(mode)) : allowed;
  // A request that cannot go where the page wants it is better saved than impossible.
  return [offered, modes].find((modes) => modes?.length) ?? ["create"];
}

/** Returns the draft as it would be sent. */
export function effectiveDraft(configured: Configured, state: ContextState): Draft {
  const draft = { ...state.draft, ...prefilled(configured, state) };
  const modes = offeredModes(configured.element, state);
  return isOneOf(modes, draft.mode) ? draft : { ...draft, mode: modes[0]! };
}
