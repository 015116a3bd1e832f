/// <reference lib="dom" />
import type { DiagnosticsSource } from "./diagnostics.ts";
import { languageOf, loadTexts, localeOf } from "./locales.ts";
import { createPanel, type Panel } from "./panel.ts";
import { HANDOFF_MODES, isOneOf } from "./parse.ts";
import { type Settings, wordsOf } from "./settings.ts";
import type { Texts } from "./texts/en.ts";
import type { Contact, GetToken, HandoffMode, Severity, SupportRequestEventMap } from "./types.ts";

/** What belongs to an element, out of the page's way: a page may set any property. */
interface Internals {
  panel: Panel;
  settings: Settings;
}
const internals = new WeakMap<object, Internals>();

/** There are no elements on a server, where importing this module must do no harm. */
const Base = globalThis.HTMLElement ?? class {} as typeof HTMLElement;

/** Properties that are attributes. */
const REFLECTED = ["service", "tenant", "run", "about", "severity", "theme", "position"] as const;

/** Properties that no attribute can hold. */
const SETTINGS = ["getToken", "contact", "diagnostics", "texts"] as const;

/** After this event, Turbo keeps a copy of the page, to show it again later. */
const SNAPSHOT_EVENT = "turbo:before-cache";

/**
 * `<support-request-panel>`: a dialog in which a person requests support.
 *
 * @example
 * ```ts
 * const panel = document.querySelector("support-request-panel");
 * panel.getToken = async () => (await fetch("/support-token")).text();
 * panel.contact = { name: "Ada Lovelace", email: "ada@acme.example" };
 * button.onclick = () => panel.show();
 * ```
 */
export class SupportRequestPanelElement extends Base {
  static observedAttributes: string[] = ["open", "lang", "modes", ...REFLECTED];

  /** URL of the service, unless the script came from there. */
  declare service: string | null;
  declare tenant: string | null;
  declare run: string | null;
  /** What this is about, in words: "Nightly import, run 42". */
  declare about: string | null;
  /** Fixes the severity and hides its field. */
  declare severity: Severity | null;
  declare theme: "light" | "dark" | "auto" | null;
  declare position: "right" | "left" | "center" | null;

  /** Returns a token of the page's own backend. Required. */
  declare getToken: GetToken | undefined;
  /** The person who requests support, as far as the page knows them. */
  declare contact: Contact | null | undefined;
  /** What support agents should know, or a function that collects it when the request is sent. */
  declare diagnostics: DiagnosticsSource | null | undefined;
  /** Replaces texts of the language. */
  declare texts: Partial<Texts> | null | undefined;

  constructor() {
    super();
    const settings: Settings = {};
    internals.set(this, { panel: createPanel(this, settings), settings });
    // What was set before the element was defined hides the accessors below.
    const own = this as Record<string, unknown>;
    for (const name of [...SETTINGS, ...REFLECTED, "modes", "open"]) {
      if (!Object.hasOwn(own, name)) continue;
      const value = own[name];
      delete own[name];
      own[name] = value;
    }
  }

  /** Whether the panel is open. */
  get open(): boolean {
    // React 18 writes `open={false}` as text.
    return (this.getAttribute("open") ?? "false") !== "false";
  }

  set open(open: boolean) {
    const value: unknown = open;
    if (value === "" || value && value !== "false") this.setAttribute("open", "");
    else this.removeAttribute("open");
  }

  /** What may become of a request: the modes that the service offers, unless narrowed. */
  get modes(): HandoffMode[] {
    return wordsOf(this, "modes").filter((mode) => isOneOf(HANDOFF_MODES, mode));
  }

  set modes(modes: readonly HandoffMode[] | string | null | undefined) {
    this.setAttribute("modes", String(modes ?? ""));
  }

  /** Opens the panel. */
  show(): void {
    this.open = true;
  }

  /** Closes the panel. What was typed stays until the page is left. */
  close(): void {
    this.open = false;
  }

  connectedCallback(): void {
    addEventListener(SNAPSHOT_EVENT, this);
    synchronize(this);
    // So that the panel opens in its language.
    loadTexts(localeOf(languageOf(this))).catch(() => {});
  }

  disconnectedCallback(): void {
    removeEventListener(SNAPSHOT_EVENT, this);
    internals.get(this)!.panel.close();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    const { panel } = internals.get(this)!;
    if (before === after) return;
    if (name === "open") synchronize(this);
    else if (name === "lang") panel.changeLanguage();
    // `tenant` and `run` may be set one after the other.
    else queueMicrotask(panel.changeContext);
    panel.render();
  }

  /** Closes the panel before the page is copied, so that the copy does not open by itself. */
  handleEvent(): void {
    this.close();
  }
}

function synchronize(element: SupportRequestPanelElement): void {
  const { panel } = internals.get(element)!;
  if (!element.open) panel.close();
  else if (element.isConnected && !panel.show()) element.close();
}

function defineProperty(
  name: string,
  get: (this: Element) => unknown,
  set: (this: Element, value: unknown) => void,
) {
  Object.defineProperty(SupportRequestPanelElement.prototype, name, {
    configurable: true,
    enumerable: true,
    get,
    set,
  });
}

for (const name of REFLECTED) {
  defineProperty(name, function () {
    return this.getAttribute(name);
  }, function (value) {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  });
}

for (const name of SETTINGS) {
  defineProperty(name, function () {
    return internals.get(this)!.settings[name];
  }, function (value) {
    const { panel, settings } = internals.get(this)!;
    settings[name] = value;
    panel.changeLanguage();
    panel.changeContext();
  });
}

declare global {
  interface HTMLElementTagNameMap {
    "support-request-panel": SupportRequestPanelElement;
  }
  interface HTMLElementEventMap extends SupportRequestEventMap {}
}
