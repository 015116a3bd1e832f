/// <reference lib="dom" />
import { h, replaceContent, setText } from "./dom.ts";
import { SEVERITIES } from "./parse.ts";
import type { Session } from "./session.ts";
import { offeredModes, prefilled, type Settings } from "./settings.ts";
import { FIELD_NAMES, type FieldName } from "./submission.ts";
import type { TextKey } from "./texts/en.ts";
import type { Translate } from "./translate.ts";

type Control = HTMLInputElement;

const HINTS: Partial<Record<FieldName, TextKey>> = {
  summary: "summaryMissing",
  ticket: "ticketMissing",
};

const LINE = { dir: "auto", autocomplete: "off", "aria-required": "true" };

/** What each field is entered in. */
const CONTROLS: Record<FieldName, [tag: string, attributes: Record<string, string>]> = {
  summary: ["input", LINE],
  description: ["textarea", { dir: "auto" }],
  severity: ["select", {}],
  name: ["input", { dir: "auto", autocomplete: "name" }],
  email: ["input", { type: "email", autocomplete: "email" }],
  mode: ["select", {}],
  ticket: ["input", LINE],
};

export interface Form {
  element: HTMLElement;
  /** Shows the draft, its errors and what is offered. */
  render(t: Translate): void;
}

/** Creates the fields, once, so that a rendering never disturbs what is being typed. */
export function createForm(element: Element, settings: Settings, session: Session): Form {
  let translate: Translate;
  const contact = h("p#contact");
  const fields = FIELD_NAMES.map((name) => {
    const [tag, attributes] = CONTROLS[name];
    const control = h<Control>(`${tag}#${name}.input`, {
      name,
      "aria-describedby": `${name}-error ${name}-hint`,
      input: () => {
        session.state.draft = { ...session.state.draft, [name]: control.value };
        delete session.state.errors[name];
        renderErrors();
      },
      // The whole field comes into view, with its hint and its error.
      focus: () => wrapper.scrollIntoView({ block: "nearest" }),
      ...attributes,
    });
    const label = h("label.label", { for: name });
    const hint = h(`small#${name}-hint.hint`);
    const error = h(`strong#${name}-error.error`);
    const box = tag === "select" ? h("div.select", control) : control;
    const wrapper = h(`div#${name}-field.field`, label, box, error, hint);
    return { name, label, control, hint, error, wrapper };
  });

  function renderErrors(): void {
    const { state, draft } = session;
    for (const { name, control, hint, error, wrapper } of fields) {
      const found = state.errors[name];
      control.setAttribute("aria-invalid", `${Boolean(found)}`);
      setText(error, found ? translate(found.key, found.values) : "");
      hint.hidden = Boolean(found);
      if (name === "ticket") wrapper.hidden = draft.mode !== "link";
    }
  }

  function render(t: Translate): void {
    translate = t;
    const { state, draft } = session;
    const known = prefilled(element, settings, state);
    const modes = offeredModes(element, state);
    for (const { name, label, control, hint, wrapper } of fields) {
      const options = name === "severity"
        ? SEVERITIES.map((value) => [value, t(value)])
        : name === "mode"
        ? modes.map((value) => [value, t(`to_${value}`)])
        : [];
      if (options.length > 0) {
        replaceContent(control, options.map(([value, text]) => h("option", { value }, text)));
      }
      if (control.value !== draft[name]) control.value = draft[name];
      setText(label, t(name));
      setText(hint, HINTS[name] ? t(HINTS[name]) : "");
      wrapper.hidden = name in known || name === "mode" && modes.length < 2;
    }
    const person = [known.name, known.email].filter(Boolean).join(" · ");
    replaceContent(
      contact,
      person ? [h("small.hint", t("contact")), h("bdi", person)] : [],
    );
    renderErrors();
  }

  /**
   * Sends with Enter, or with Ctrl or Command and Enter from anywhere. Not with the form's own
   * submission, which a sandboxed frame without `allow-forms` ignores.
   */
  function onKey(event: KeyboardEvent): void {
    const isShortcut = event.ctrlKey || event.metaKey;
    if (event.key !== "Enter" || !isShortcut && !(event.target as Element).matches("input")) return;
    // Enter that ends a composition, as of Japanese, is not meant for the form.
    if (event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    session.submit();
  }

  const parts = fields.map(({ wrapper }) => wrapper);
  parts.splice(3, 0, contact);
  return { element: h("form#form", { novalidate: true, keydown: onKey }, ...parts), render };
}
