/// <reference lib="dom" />
import { h, replaceContent, setText } from "./dom.ts";
import { isOneOf, SEVERITIES } from "./parse.ts";
import type { Session } from "./session.ts";
import { effectiveDraft, offeredModes, prefilled } from "./settings.ts";
import { type Draft, FIELD_NAMES, type FieldName } from "./submission.ts";
import { submit } from "./submit.ts";
import { TEXT_KEYS, type TextKey } from "./texts/en.ts";
import type { Translate } from "./translate.ts";

const LINE = { dir: "auto", autocomplete: "off", "aria-required": "true" };

/** What each field is entered in. */
const CONTROLS: Record<FieldName, [tag: string, attributes?: Record<string, string>]> = {
  summary: ["input", LINE],
  description: ["textarea", { dir: "auto" }],
  severity: ["select"],
  name: ["input", { dir: "auto", autocomplete: "name" }],
  email: ["input", { type: "email", autocomplete: "email" }],
  mode: ["select"],
  ticket: ["input", LINE],
};

type Options = Partial<Record<FieldName, readonly TextKey[]>>;
type Hidden = Partial<Record<FieldName, unknown>>;

/** Shows a field's value, error and options in the panel's state. */
type RenderField = (
  t: Translate,
  draft: Draft,
  isHidden: boolean,
  options?: readonly TextKey[],
) => void;

/**
 * Creates the fields, once, so that a rendering never disturbs what is being typed. Returns the form,
 * and a function that renders the draft, its errors and the options.
 */
export function createForm(session: Session): [HTMLElement, (t: Translate) => void] {
  const contact = h("p#contact");
  const fields = FIELD_NAMES.map((name) => [name, ...createField(session, name)] as const);
  const parts = fields.map(([, box]) => box);
  parts.splice(3, 0, contact);
  const keydown = (event: KeyboardEvent) => {
    if (!isSubmission(event)) return;
    event.preventDefault();
    submit(session);
  };

  function render(t: Translate): void {
    const { element, state } = session;
    const draft = effectiveDraft(session, state);
    const known = prefilled(session, state);
    const modes = offeredModes(element, state);
    const person = [known.name, known.email].filter(Boolean).join(" · ");
    replaceContent(contact, person ? [h("small.hint", t("contact")), h("bdi", person)] : []);
    const hidden: Hidden = { ...known, mode: modes.length < 2, ticket: draft.mode !== "link" };
    const options: Options = {
      severity: SEVERITIES,
      mode: modes.map((mode) => `to_${mode}` as const),
    };
    for (const [name, , renderField] of fields) {
      renderField(t, draft, Boolean(hidden[name]), options[name]);
    }
  }
  return [h("form#form", { keydown }, ...parts), render];
}

function createField(session: Session, name: FieldName): [HTMLElement, RenderField] {
  const [tag, attributes] = CONTROLS[name];
  const isSelect = tag === "select";
  const control = h<HTMLInputElement>(`${tag}#${name}.input`, {
    "aria-describedby": `${name}-error ${name}-hint`,
    input: () => {
      const { state } = session;
      const isShown = isSelect || state.errors[name];
      state.draft = { ...state.draft, [name]: control.value };
      delete state.errors[name];
      if (isShown) session.render();
    },
    ...attributes,
  });
  const label = h("label.label", { for: name });
  const hint = h(`small#${name}-hint.hint`);
  const error = h(`strong#${name}-error.error`);
  const input = isSelect ? h("div.select", control) : control;
  const box = h(`div#${name}-field.field`, label, input, error, hint);
  const render: RenderField = (t, draft, isHidden, options) => {
    const found = session.state.errors[name];
    const missing = `${name}Missing`;
    box.hidden = isHidden;
    if (options) {
      replaceContent(
        control,
        // The value is the last word of the text's key.
        options.map((key) => h("option", { value: key.replace("to_", "") }, t(key))),
      );
    }
    if (control.value !== draft[name]) control.value = draft[name];
    control.setAttribute("aria-invalid", `${Boolean(found)}`);
    setText(label, t(name));
    setText(error, found ? t(...found) : "");
    setText(hint, !found && isOneOf(TEXT_KEYS, missing) ? t(missing) : "");
  };
  return [box, render];
}

/**
 * Whether a key sends the form: Enter in a line, or Ctrl or Command with Enter anywhere. Replaces the
 * form's own submission, which a sandboxed frame without `allow-forms` ignores.
 */
function isSubmission(event: KeyboardEvent): boolean {
  const { key, ctrlKey, metaKey, isComposing, keyCode, target } = event;
  return key === "Enter" && (ctrlKey || metaKey || (target as Element).matches("input")) &&
    // Enter that ends a composition, as of Japanese, is not meant for the form.
    !isComposing && keyCode !== 229;
}
