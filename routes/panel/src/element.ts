/// <reference lib="dom" />
import type { DiagnosticsSource } from "./diagnostics.ts";
import { createPanel, type Panel } from "./panel.ts";
import { allowedModes } from "./settings.ts";
import type { Texts } from "./texts/en.ts";
import type { Contact, GetToken, HandoffMode, Severity, SupportRequestEventMap } from "./types.ts";

/** By element, out of the page's way: a page may set any property. */
const panels = new WeakMap<object, Panel>();

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
    panels.set(this, createPanel(this));
    // What was set before the element was defined hides the accessors below.
    const own = this as Record<string, unknown>;
    for (const [name, value] of Object.entries(own)) {
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
    return allowedModes(this);
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
    panels.get(this)!.update();
    synchronize(this);
  }

  disconnectedCallback(): void {
    removeEventListener(SNAPSHOT_EVENT, this);
    panels.get(this)!.close();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === "open") synchronize(this);
    else panels.get(this)!.update();
  }

  /** Closes the panel before the page is copied, so that the copy does not open by itself. */
  handleEvent(): void {
    this.close();
  }
}

function synchronize(element: SupportRequestPanelElement): void {
  const panel = panels.get(element)!;
  if (!element.open) panel.close();
  else if (element.isConnected && !panel.show()) element.close();
}

const { prototype } = SupportRequestPanelElement;

for (const name of REFLECTED) {
  Object.defineProperty(prototype, name, {
    get() {
      return this.getAttribute(name);
    },
    set(value: unknown) {
      if (value === null || value === undefined) this.removeAttribute(name);
      else this.setAttribute(name, String(value));
    },
  });
}

for (const name of SETTINGS) {
  Object.defineProperty(prototype, name, {
    get() {
      return panels.get(this)!.settings[name];
    },
    set(value: unknown) {
      const { settings, update } = panels.get(this)!;
      settings[name] = value;
      update();
    },
  });
}

declare global {
  interface HTMLElementTagNameMap {
    "support-request-panel": SupportRequestPanelElement;
  }
  interface HTMLElementEventMap extends SupportRequestEventMap {}
}
