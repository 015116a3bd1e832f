/// <reference lib="dom" />
import { createDialog } from "./dialog.ts";
import { type Child, replaceContent, setText } from "./dom.ts";
import { describeFailure } from "./failure_text.ts";
import { createForm } from "./form.ts";
import { icon } from "./icons.ts";
import type { Language } from "./language.ts";
import { latestLine } from "./latest_line.ts";
import { outcomeOf } from "./outcome.ts";
import { requestDetails } from "./request_details.ts";
import type { Session } from "./session.ts";
import type { ContextState } from "./state.ts";
import { styleSheet } from "./style_sheet.ts";
import { createTranslate, type Translate } from "./translate.ts";

/** The dialog in the element's shadow tree, and how it renders the session. */
export interface View {
  dialog: HTMLDialogElement;
  render(): void;
}

export function createView(session: Session, language: Language): View {
  const root = session.element.attachShadow({ mode: "open" });
  const [form, renderForm] = createForm(session);
  const dialog = createDialog(session, form);
  root.adoptedStyleSheets = [styleSheet()];
  root.append(dialog);
  const byId = (id: string) => root.getElementById(id)!;

  session.focus = (...ids) => {
    ids.find((id) => {
      byId(id)?.focus();
      return root.activeElement?.id === id;
    });
  };

  function render(): void {
    const focused = root.activeElement?.id;
    const { state } = session;
    const { texts, tag } = language;
    const t = createTranslate(texts, tag, { desk: state.summary?.desk?.label ?? texts.desk });
    const result = state.sent && state.summary?.supportRequest;
    dialog.lang = texts.lang;
    dialog.dir = texts.dir;
    const labels = labelsOf(session, t);
    for (const id in labels) setText(byId(id), labels[id]!);
    byId("close").setAttribute("aria-label", t("close"));
    byId("send").setAttribute(
      "aria-disabled",
      `${Boolean(state.sending || state.sendFailure?.retryIn)}`,
    );
    byId("strip").setAttribute("aria-busy", `${state.loading !== null}`);
    byId("send").hidden = form.hidden = Boolean(result);
    byId("another").hidden = byId("finish").hidden = !result;
    const [strip, details, alert] = result
      ? [[], [icon(outcomeOf(result).name), ...requestDetails(result, session, t)], []]
      : [latestLine(session, t), [], alertOf(state, t)];
    replaceContent(byId("strip"), strip!);
    replaceContent(byId("result"), details!);
    replaceContent(byId("alert"), alert!);
    renderForm(t);
    // What had the focus may have been created anew.
    if (focused) session.focus(focused, "headline", "title");
  }

  return { dialog, render };
}

/** Returns the texts of the parts that are always there, by their ids. */
function labelsOf({ element, state }: Session, t: Translate): Record<string, string> {
  const { sending, sendFailure, check } = state;
  const seconds = sendFailure?.retryIn;
  return {
    title: t("title"),
    about: element.getAttribute("about") ?? "",
    // A screen reader reads a result when it gets the focus.
    status: sending ? t("patience") : check?.running ? t("resuming") : "",
    progress: sending ? t("patience") : seconds ? t("wait", { seconds }) : "",
    another: t("another"),
    finish: t("finish"),
    send: t(sending ? "sending" : sendFailure ? "again" : "send"),
  };
}

/** Returns why the form was not sent. */
function alertOf({ sendFailure, errors }: ContextState, t: Translate): Child[] {
  const count = Object.keys(errors).length;
  return sendFailure
    ? describeFailure(sendFailure, t, true)
    : count
    ? [t("errorCount", { count })]
    : [];
}
