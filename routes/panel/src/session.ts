/// <reference lib="dom" />
import type { Settings } from "./settings.ts";
import type { ContextState } from "./state.ts";

/** What the parts of one panel share: the state of each context, and how to render it. */
export interface Session {
  readonly element: HTMLElement;
  readonly settings: Settings;
  /** By the URL of the context. */
  readonly states: Map<string, ContextState>;
  /** Of the element's context. */
  state: ContextState;
  /** Shows the state. */
  render(): void;
  /** Moves the focus to the first of these parts that can have it. */
  focus(...ids: string[]): void;
}
