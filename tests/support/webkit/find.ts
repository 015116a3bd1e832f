/// <reference lib="dom" />

/** One step of a locator, as Playwright has them. */
export type Step =
  | { css: string }
  | { role: string; name?: Text }
  | { label: Text }
  | { text: Text }
  | { hasText: Text }
  | { and: Step[] }
  | { nth: number };

/** What a text has to be: equal, or one that contains this. `pattern` is the source of a RegExp. */
export interface Text {
  text?: string;
  isExact?: boolean;
  pattern?: string;
  flags?: string;
}

/** Returns the elements that the steps lead to, in open shadow trees too. Runs in the page. */
export function find(steps: Step[]): Element[] {
  const ROLES: Record<string, string> = {
    button: "button, [role=button]",
    combobox: "select",
    dialog: "dialog, [role=dialog]",
    heading: "h1, h2, h3, h4, h5, h6",
    link: "a[href]",
  };
  const within = (root: Document | ShadowRoot | Element): Element[] => {
    const all = root instanceof Element && root.shadowRoot ? within(root.shadowRoot) : [];
    // A page under test may have images that hide members of its document.
    const { querySelectorAll } = root instanceof Document
      ? Document.prototype
      : root instanceof Element
      ? Element.prototype
      : DocumentFragment.prototype;
    for (const element of querySelectorAll.call(root, "*")) {
      all.push(element);
      if (element.shadowRoot) all.push(...within(element.shadowRoot));
    }
    return all;
  };
  const isShown = (element: Element) => element.checkVisibility({ visibilityProperty: true });
  const clean = (text: string) => text.replace(/\s+/g, " ").trim();
  const matches = (text: string, { text: wanted, isExact, pattern, flags }: Text) => {
    if (pattern !== undefined) return new RegExp(pattern, flags).test(clean(text));
    const [is, of] = [clean(text), clean(wanted!)];
    return isExact ? is === of : is.toLowerCase().includes(of.toLowerCase());
  };
  const textOf = (element: Element) => (element as HTMLElement).innerText ?? "";
  const nameOf = (element: Element) => element.getAttribute("aria-label") ?? textOf(element);
  const labelsOf = (element: Element) => {
    const { labels } = element as HTMLInputElement;
    return [...labels ?? []].map((label) => label.textContent ?? "");
  };
  let found: (Document | Element)[] = [document];
  for (const step of steps) {
    if ("nth" in step) {
      const one = found.at(step.nth);
      found = one ? [one] : [];
      continue;
    }
    if ("and" in step) {
      const others = find(step.and);
      found = found.filter((element) => others.includes(element as Element));
      continue;
    }
    if ("hasText" in step) {
      found = found.filter((element) => matches(textOf(element as Element), step.hasText));
      continue;
    }
    const inside = [...new Set(found.flatMap(within))];
    if ("css" in step) found = inside.filter((element) => element.matches(step.css));
    else if ("role" in step) {
      const candidates = inside.filter((element) => element.matches(ROLES[step.role]!));
      found = candidates.filter(isShown)
        .filter((element) => !step.name || matches(nameOf(element), step.name));
    } else if ("label" in step) {
      found = inside.filter((element) =>
        labelsOf(element).some((text) => matches(text, step.label))
      );
    } else {
      // The innermost elements that have the text.
      const elements = found.filter((element) => element instanceof Element);
      const having = [...new Set([...elements, ...inside])].filter((element) =>
        matches(element.textContent ?? "", step.text)
      )
        .filter((element) => !element.matches("script, style, option"));
      found = having.filter((element) =>
        !having.some((other) => other !== element && element.contains(other))
      );
    }
  }
  return found as Element[];
}
