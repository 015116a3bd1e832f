/// <reference lib="dom" />
import { logError } from "./log_error.ts";
import { stateOf } from "./context.ts";
import { dispatch } from "./events.ts";
import { createLanguage } from "./language.ts";
import { load, startOver } from "./load.ts";
import {
  followKeyboard,
  followLanguage,
  isHidden,
  lockScroll,
  watchVisibility,
} from "./page_effects.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { createView } from "./view.ts";

/** The panel behind one element. */
export interface Panel {
  readonly settings: Settings;
  /** Opens the dialog. Returns whether it can be seen where the element is. */
  show(): boolean;
  /** Closes the dialog. What was typed stays. */
  close(): void;
  /** Follows the element's attributes and settings. */
  update(): void;
}

export function createPanel(element: HTMLElement): Panel {
  let isOpen = false;
  /** Whether the page knows that the panel is open. */
  let isReported = false;
  /** Ends what the open panel does to the page. */
  let opening = new AbortController();

  const settings: Settings = {};
  const states: Session["states"] = new Map();
  // A closed panel is rendered while the browser is idle, so that it opens without delay.
  const render = () => isOpen ? view.render() : globalThis.requestIdleCallback?.(view.render);
  const session: Session = {
    element,
    settings,
    states,
    render,
    state: stateOf(element, states),
    // The view replaces it.
    focus() {},
  };
  const language = createLanguage(session);
  const view = createView(session, language);
  const { dialog } = view;
  dialog.addEventListener("close", onClose);
  watchVisibility(dialog, () => dialog.close());

  function show(): boolean {
    if (dialog.open) return true;
    // Escape may have closed the dialog a moment ago.
    close();
    opening = new AbortController();
    const { signal } = opening;
    isOpen = true;
    session.state = stateOf(element, states);
    startOver(session);
    // Everything changes before the dialog is shown: the browser lays it out once.
    lockScroll(signal);
    language.follow();
    dialog.showModal();
    if (isHidden(dialog)) {
      close();
      logError("cannot be shown within a hidden element");
      dispatch(element, "support-request-error", { kind: "setup", during: "load" });
      return false;
    }
    followKeyboard(dialog, signal);
    followLanguage(language.follow, signal);
    // The back button may show the page again as it was left.
    const onPageShow = (event: Event) => {
      if ((event as PageTransitionEvent).persisted) load(session);
    };
    addEventListener("pageshow", onPageShow, { signal });
    // A phone's keyboard would cover what there is to read.
    session.focus(matchMedia("(pointer: coarse)").matches ? "title" : "summary");
    load(session);
    if (!isReported) dispatch(element, "support-request-open");
    isReported = true;
    return true;
  }

  function close(): void {
    isOpen = false;
    opening.abort();
    dialog.close();
  }

  function onClose(): void {
    // If the element was moved within the page, the dialog is open again.
    if (dialog.open || !isReported) return;
    close();
    isReported = false;
    element.removeAttribute("open");
    element.dispatchEvent(new Event("close"));
    dispatch(element, "support-request-close");
  }

  function update(): void {
    language.follow();
    // `tenant` and `run` may be set one after the other.
    queueMicrotask(changeContext);
  }

  /** Follows the attributes that name the context, and a page that was not set up before. */
  function changeContext(): void {
    const { state } = session;
    session.state = stateOf(element, states);
    const isSetUp = state.loadFailure?.kind !== "setup";
    if (!isOpen || session.state === state && isSetUp) return;
    startOver(session);
    render();
    load(session);
  }

  return { settings, show, close, update };
}
