/// <reference lib="dom" />
import { complain } from "./complain.ts";
import { stateOf } from "./context.ts";
import { rootElement } from "./dom.ts";
import { dispatch } from "./events.ts";
import { createLanguage } from "./language.ts";
import { load, startOver } from "./load.ts";
import { followKeyboard, isHidden, lockScroll, watchVisibility } from "./page_effects.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { createView } from "./view.ts";

/** The panel behind one element. */
export interface Panel {
  readonly settings: Settings;
  /** Loads the language and renders the closed panel, so that it opens without delay. */
  prepare(): void;
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
  /** Undoes what opening did to the page. */
  let undo: (() => void)[] = [];

  const settings: Settings = {};
  const states: Session["states"] = new Map();
  const render = () => isOpen && view.render();
  const session: Session = {
    ...{ element, settings, states, render },
    state: stateOf(element, states),
    // The view moves it.
    focus() {},
  };
  const language = createLanguage(session);
  const view = createView(session, language);
  const { dialog } = view;
  dialog.addEventListener("close", onClose);
  watchVisibility(dialog, () => dialog.close());

  function prepare(): void {
    language.follow();
    globalThis.requestIdleCallback?.(view.render);
  }

  function show(): boolean {
    if (isOpen) return true;
    language.follow();
    session.state = stateOf(element, states);
    isOpen = true;
    // Everything changes before the dialog is shown: the browser lays it out once.
    undo = [lockScroll()];
    startOver(session);
    dialog.showModal();
    if (isHidden(dialog)) {
      close();
      complain("cannot be shown within a hidden element");
      dispatch(element, "support-request-error", { kind: "setup", during: "load" });
      return false;
    }
    const observer = new MutationObserver(language.follow);
    observer.observe(rootElement(), { attributeFilter: ["lang"] });
    undo.push(() => observer.disconnect(), followKeyboard(dialog));
    // A phone's keyboard would cover what there is to read.
    session.focus(matchMedia("(pointer: coarse)").matches ? "title" : "summary");
    load(session);
    if (!isReported) dispatch(element, "support-request-open");
    isReported = true;
    return true;
  }

  function close(): void {
    isOpen = false;
    for (const undoOne of undo.splice(0)) undoOne();
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
    load(session);
  }

  return { settings, prepare, show, close, update };
}
