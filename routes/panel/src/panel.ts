/// <reference lib="dom" />
import { complain } from "./complain.ts";
import { h, replaceContent, rootElement, setText } from "./dom.ts";
import { describeFailure } from "./failure_text.ts";
import { createForm } from "./form.ts";
import { icon } from "./icons.ts";
import { renderLatestLine } from "./latest_line.ts";
import { languageOf, loadTexts, localeOf, withFallback } from "./locales.ts";
import { followKeyboard, isHidden, lockScroll, watchVisibility } from "./page_effects.ts";
import { type RenderContext, requestDetails } from "./request_details.ts";
import { createSession, type Dispatch } from "./session.ts";
import { outcomeOf } from "./outcome.ts";
import type { Settings } from "./settings.ts";
import css from "./styles.css" with { type: "text" };
import { EN, type Texts } from "./texts/en.ts";
import { createTranslate, formatTime } from "./translate.ts";

/** The panel behind one element. */
export interface Panel {
  /** Opens the dialog. Returns whether it can be seen where the element is. */
  show(): boolean;
  /** Closes the dialog. What was typed stays. */
  close(): void;
  render(): void;
  /** Follows the attributes that name the context, and a page that was not set up before. */
  changeContext(): void;
  /** Follows the language that applies to the element, and the page's own texts. */
  changeLanguage(): void;
}

export function createPanel(element: HTMLElement, settings: Settings): Panel {
  const root = element.attachShadow({ mode: "open" });
  const dispatch: Dispatch = (name, detail) =>
    element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  const session = createSession(element, settings, { render, focus }, dispatch);
  let language = "";
  /** The language's own texts, without those that the page replaces. */
  let localeTexts: Texts = EN;
  let texts: Texts = EN;
  /** Undoes what opening did to the page. */
  let undo: (() => void)[] = [];
  /** Whether the page knows that the panel is open. */
  let isReported = false;

  const byId = (id: string) => root.getElementById(id)!;
  const translate = () =>
    createTranslate(texts, { desk: session.state.summary?.desk?.label ?? texts.desk });

  function focus(...ids: string[]): void {
    ids.find((id) => {
      byId(id)?.focus();
      return root.activeElement?.id === id;
    });
  }

  const button = (selector: string, click: () => void, ...children: string[]) =>
    h(`button${selector}`, { click }, ...children);
  const hide = () => dialog.close();
  const alert = h("div#alert.notice", { role: "alert" });
  const strip = h("div#strip");
  const result = h("section#result", { "aria-labelledby": "headline" });
  const form = createForm(element, settings, session);
  const stop = (event: Event) => event.stopPropagation();
  const dialog = h<HTMLDialogElement>(
    "dialog#dialog",
    {
      "aria-labelledby": "title",
      // The page would take what is typed for its own shortcuts.
      keydown: stop,
      keypress: stop,
      keyup: stop,
      pointerdown: ({ target, clientX: x, clientY: y }: PointerEvent) => {
        const { left, right, top, bottom } = dialog.getBoundingClientRect();
        // The backdrop belongs to the dialog.
        if (target === dialog && (x < left || x > right || y < top || y > bottom)) hide();
      },
      close: onClose,
    },
    h(
      "header#header",
      h("h2#title", { tabindex: -1 }),
      button("#close.quiet", hide, "×"),
      h("slot", { name: "about" }, h("p#about.muted")),
    ),
    h("div#body", strip, form.element, result),
    h(
      "footer#footer",
      alert,
      h("small#progress.hint"),
      button("#another", () => session.write()),
      button("#finish.main", hide),
      h(
        "button#send.main",
        { "aria-describedby": "progress", "click": session.submit },
      ),
    ),
    h("p#status.unseen", { role: "status" }),
  );

  function render(): void {
    if (!dialog.open) return;
    const focused = root.activeElement?.id;
    const { state, draft } = session;
    const { isSubmitting, submitFailure, errors, submittedDraft, summary, check } = state;
    const t = translate();
    const context: RenderContext = {
      session,
      t,
      formatTime: (iso) => formatTime(iso, texts, language),
    };
    const request = submittedDraft && summary?.supportRequest;
    const seconds = submitFailure?.retryIn;
    const count = Object.keys(errors).length;
    const sending = draft.mode === "create" ? "asking" : "sending";
    const outcome = (request || check) && summary?.supportRequest &&
      outcomeOf(summary.supportRequest);
    const labels: Record<string, string> = {
      status: isSubmitting
        ? t("patience")
        : check?.isRunning
        ? t("resuming")
        : outcome
        ? [`head_${outcome.name}` as const, ...outcome.sentences]
          .map((key) => t(key, outcome.values)).join(". ")
        : "",
      title: t("title"),
      about: element.getAttribute("about") ?? "",
      progress: isSubmitting ? t("patience") : seconds ? t("wait", { seconds }) : "",
      another: t("another"),
      finish: t("finish"),
      send: t(isSubmitting ? sending : submitFailure ? "again" : "send"),
    };
    for (const id in labels) setText(byId(id), labels[id]!);
    strip.setAttribute("aria-busy", `${Boolean(state.pendingLoad)}`);
    dialog.lang = texts.lang;
    dialog.dir = texts.dir;
    byId("close").setAttribute("aria-label", t("close"));
    byId("send").setAttribute("aria-disabled", `${Boolean(isSubmitting || seconds)}`);
    byId("send").hidden = form.element.hidden = Boolean(request);
    byId("another").hidden = byId("finish").hidden = !request;
    result.className = outcome?.name ?? "";
    replaceContent(strip, request ? [] : renderLatestLine(context));
    replaceContent(
      result,
      request ? [icon(outcome!.name), ...requestDetails(request, context)] : [],
    );
    replaceContent(
      alert,
      request
        ? []
        : submitFailure
        ? describeFailure(submitFailure, t, true)
        : count
        ? [t("errorCount", { count })]
        : [],
    );
    form.render(t);
    // What had the focus may have been created anew.
    if (focused) focus(focused, "headline", "title");
  }

  function show(): boolean {
    if (dialog.open) return true;
    session.enterContext();
    dialog.showModal();
    changeLanguage();
    if (isHidden(dialog)) {
      hide();
      complain("cannot be shown within a hidden element");
      dispatch("support-request-error", { kind: "setup", during: "load" });
      return false;
    }
    const observer = new MutationObserver(changeLanguage);
    observer.observe(rootElement(), { attributeFilter: ["lang"] });
    undo = [
      () => observer.disconnect(),
      lockScroll(),
      followKeyboard(dialog),
      watchVisibility(dialog, hide),
    ];
    // A phone's keyboard would cover what there is to read.
    focus(matchMedia("(pointer: coarse)").matches ? "title" : "summary");
    session.load();
    if (!isReported) dispatch("support-request-open");
    isReported = true;
    return true;
  }

  function close(): void {
    for (const undoOne of undo.splice(0)) undoOne();
    hide();
  }

  function onClose(): void {
    // If the element was moved within the page, the dialog is open again.
    if (dialog.open || !isReported) return;
    close();
    isReported = false;
    element.removeAttribute("open");
    element.dispatchEvent(new Event("close"));
    dispatch("support-request-close");
  }

  function changeContext(): void {
    const isSetUp = session.state.loadFailure?.kind !== "setup";
    if ((session.enterContext() || !isSetUp) && dialog.open) session.load();
  }

  function changeLanguage(): void {
    language = languageOf(element);
    const locale = localeOf(language);
    const apply = (loaded: Texts) => {
      // It may have changed again in the meantime.
      if (localeOf(language) !== locale) return;
      localeTexts = loaded;
      texts = withFallback(settings.texts, localeTexts);
      render();
    };
    apply(localeTexts);
    // What is shown already need not be rendered again.
    loadTexts(locale).then((loaded) => loaded === localeTexts || apply(loaded), complain);
  }

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  root.append(dialog);
  return { show, close, render, changeContext, changeLanguage };
}
