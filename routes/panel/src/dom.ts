/// <reference lib="dom" />

/**
 * Access to the document that an element of the page cannot take over: `<img name="createElement">`
 * replaces `document.createElement`, but not the method of the prototype.
 */
const prototype = globalThis.Document?.prototype;

/** Calls a method of the document, whatever elements of the page are named like it. */
export function callDocument<T>(name: string, ...args: string[]): T {
  return (prototype as unknown as Record<string, (...args: string[]) => T>)[name]!
    .apply(document, args);
}

/** Returns the script that is running, unless it is a module. */
export function currentScript(): Element | null {
  return Object.getOwnPropertyDescriptor(prototype, "currentScript")!.get!.call(document);
}

export function rootElement(): HTMLElement {
  return callDocument("querySelector", "html");
}

export type Child = Node | string | false | null | undefined;

/** Attributes of an element; a function is a listener, `true` an attribute without a value. */
// deno-lint-ignore no-explicit-any -- texts, numbers, booleans, and listeners of any event
type Attributes = Record<string, any>;

/**
 * Creates an element from `tag#id.class`, its attributes, if any, and its children. The id and the
 * class are its parts, too, by which a page can style it. Text never becomes HTML.
 */
export function h<E extends Element = HTMLElement>(
  selector: string,
  ...children: (Attributes | Child)[]
): E {
  const [, tag, id, className] = /(\w+)#?([\w-]*)\.?(.*)/.exec(selector)!;
  const element = callDocument<E>("createElement", tag!);
  const part = [id, className].join(" ").trim();
  const all: Attributes = { id, class: className, part };
  if (children[0]?.constructor === Object) Object.assign(all, children.shift());
  for (const name in all) {
    const value = all[name];
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...(children as Child[]).filter((child): child is Node | string => Boolean(child)),
  );
  return element;
}

/** Sets text only if it changes, so that screen readers and the selection are not disturbed. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Replaces what is in an element, unless it looks the same: the focus stays, and nothing is reread. */
export function replaceContent(element: HTMLElement, children: Child[]): void {
  const next = h("div", ...children);
  if (next.innerHTML !== element.innerHTML) element.replaceChildren(...next.childNodes);
  element.hidden = children.length === 0;
}
