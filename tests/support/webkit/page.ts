/// <reference lib="dom" />
import type { Browser, Locator, Page } from "playwright-core";
import { find, type Step, type Text } from "./find.ts";
import { type Handler, Routes } from "./routes.ts";
import { DriverError, type Session, startSession } from "./driver.ts";

const TIMEOUT_MS = 8000;
const POLL_MS = 15;
/** The key of an element in the JSON of WebDriver. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
/** Width below which MiniBrowser's toolbar does not let its window shrink. */
const MIN_WIDTH = 447;

const KEYS: Record<string, string> = {
  ArrowDown: "\uE015",
  Control: "\uE009",
  Delete: "\uE017",
  Enter: "\uE007",
  Escape: "\uE00C",
  Shift: "\uE008",
  Tab: "\uE004",
};

// deno-lint-ignore no-explicit-any -- as Playwright's own
type Script = string | ((...args: any[]) => unknown);

/**
 * Starts WebKitGTK's browser, in the part of Playwright's interface that the tests use. What is missing
 * throws; a test that needs it is declared not to run in this engine.
 */
export async function launchWebKit(): Promise<Browser> {
  const session = await startSession();
  const browser = {
    browserType: () => ({ name: () => "webkit" }),
    newContext: ({ viewport }: { viewport: { width: number; height: number } }) => ({
      async newPage() {
        const page = new WebKitPage(session);
        await page.setViewportSize(viewport);
        return page;
      },
      close: () => session.call("POST", "/url", { url: "about:blank" }),
    }),
    close: () => session[Symbol.asyncDispose](),
  };
  return browser as unknown as Browser;
}

/** A page whose driver intercepts no calls: a server has to consult its routes. */
export interface RoutedPage {
  routes?: Routes;
}

class WebKitPage implements RoutedPage {
  readonly #session: Session;
  readonly keyboard = {
    press: (keys: string) => this.#press(keys.split("+")),
    type: async (text: string) => {
      for (const char of text) await this.#press([char === "\n" ? "Enter" : char]);
    },
  };
  readonly mouse = {
    move: (x: number, y: number) =>
      this.actions({ type: "pointer", id: "mouse", actions: [{ type: "pointerMove", x, y }] }),
    wheel: (deltaX: number, deltaY: number) => {
      const scroll = { type: "scroll", x: 100, y: 400, deltaX, deltaY };
      return this.actions({ type: "wheel", id: "wheel", actions: [scroll] });
    },
  };

  constructor(session: Session) {
    this.#session = session;
  }

  /** What a server has to consult, because the driver intercepts nothing. */
  readonly routes = new Routes();
  route = (...[matcher, handler, options]: Parameters<Page["route"]>) =>
    this.routes.add(matcher as string, handler as Handler, options?.times);
  unrouteAll = () => this.routes.clear();

  on() {}
  setDefaultTimeout() {}
  call = (method: "GET" | "POST", path: string, body?: unknown) =>
    this.#session.call(method, path, body);
  #url = "about:blank";
  goto = (url: string) => this.call("POST", "/url", { url: this.#url = url });
  goBack = () => this.call("POST", "/back", {});
  goForward = () => this.call("POST", "/forward", {});
  url = () => this.#url;
  title = () => this.call("GET", "/title");
  actions = (source: unknown) => this.call("POST", "/actions", { actions: [source] });

  locator = (css: string) => locate(this, [{ css }]);
  getByText = (text: string | RegExp, options?: Exact) => locate(this, []).getByText(text, options);
  getByRole = (role: string, options?: Exact & { name?: string }) =>
    locate(this, []).getByRole(role as "button", options);

  async setViewportSize({ width, height }: { width: number; height: number }) {
    if (width < MIN_WIDTH) throw new Error(`MiniBrowser is no narrower than ${MIN_WIDTH} pixels`);
    const size = await this.evaluate<number[]>(
      "[outerWidth - innerWidth, outerHeight - innerHeight]",
    );
    await this.call("POST", "/window/rect", { width: width + size[0]!, height: height + size[1]! });
    await poll(`a viewport of ${width} by ${height}`, async () => {
      const [w, h] = await this.evaluate<number[]>("[innerWidth, innerHeight]");
      return w === width && h === height || undefined;
    });
  }

  async screenshot({ path }: { path?: string } = {}) {
    const png = Uint8Array.fromBase64(await this.call("GET", "/screenshot") as string);
    if (path) await Deno.writeFile(path, png);
    return png;
  }

  /** Runs a function, an expression or statements in the page, and waits for a promise. */
  async evaluate<T>(script: Script, ...args: unknown[]): Promise<T> {
    const source = typeof script === "function"
      ? `(${script})(...args)`
      : isExpression(script)
      ? `(${script}\n)`
      : `(() => {${script}\n})()`;
    const result = await this.call("POST", "/execute/async", {
      script: `const done = arguments[arguments.length - 1];
        const args = [...arguments].slice(0, -1);
        Promise.resolve().then(() => ${source})
          .then((value) => done({ value }), (error) => done({ error: String(error?.stack ?? error) }));`,
      args,
    }) as { value?: T; error?: string };
    if (result.error !== undefined) throw new Error(`In the page: ${result.error}`);
    return result.value as T;
  }

  async #press(keys: string[]) {
    const values = keys.map((key) => KEYS[key] ?? key);
    const actions = [
      ...values.map((value) => ({ type: "keyDown", value })),
      ...values.toReversed().map((value) => ({ type: "keyUp", value })),
    ];
    await this.actions({ type: "key", id: "keyboard", actions });
  }
}

interface Exact {
  exact?: boolean;
}

function toText(text: string | RegExp, { exact }: Exact = {}): Text {
  if (text instanceof RegExp) return { pattern: text.source, flags: text.flags };
  return { text, isExact: exact };
}

/** Returns a locator, in the part of Playwright's interface that the tests use. */
function locate(page: WebKitPage, steps: Step[]): Locator {
  const then = (step: Step) => locate(page, [...steps, step]);
  const run = <T>(body: string, ...args: unknown[]): Promise<T> =>
    page.evaluate<T>(
      `${find}\nconst found = find(${JSON.stringify(steps)}); const [element] = found;
       const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
       const args = ${JSON.stringify(args)};
       return (() => {${body}})();`,
    );
  const name = JSON.stringify(steps);
  /** Runs a body as soon as there is an element. */
  const onElement = async <T>(body: string, ...args: unknown[]) =>
    (await poll(name, () =>
      run<{ value: T } | null>(
        `if (!element) return null;
       if (found.length > 1) throw new Error(found.length + " elements");
       return Promise.resolve((() => {${body}})()).then((value) => ({ value }));`,
        ...args,
      ))).value;
  const waitUntilShown = () =>
    poll(`a visible ${name}`, () => run<true | null>("return element && isShown(element) || null"));
  /** Gives the element the focus, as a person does before they type. */
  const focus = () => onElement("element.scrollIntoView({ block: 'nearest' }); element.focus()");

  const locator = {
    steps,
    locator: (css: string) => then({ css }),
    getByText: (text: string | RegExp, options?: Exact) => then({ text: toText(text, options) }),
    getByLabel: (text: string | RegExp, options?: Exact) => then({ label: toText(text, options) }),
    getByRole: (role: string, options?: Exact & { name?: string }) =>
      then({ role, name: options?.name === undefined ? undefined : toText(options.name, options) }),
    and: (other: { steps: Step[] }) => then({ and: other.steps }),
    first: () => then({ nth: 0 }),
    last: () => then({ nth: -1 }),
    nth: (nth: number) => then({ nth }),
    count: () => run<number>("return found.length"),
    async all() {
      const count = await run<number>("return found.length");
      return Array.from({ length: count }, (_, nth) => then({ nth }));
    },
    isVisible: () => run<boolean>("return element !== undefined && isShown(element)"),
    innerText: async () => (await onElement<string>("return element.innerText")).trimEnd(),
    innerHTML: () => onElement<string>("return element.innerHTML"),
    textContent: () => onElement<string>("return element.textContent"),
    inputValue: () => onElement<string>("return element.value"),
    allInnerTexts: () => run<string[]>("return found.map((element) => element.innerText)"),
    getAttribute: (attribute: string) =>
      onElement<string | null>("return element.getAttribute(args[0])", attribute),
    evaluate: (script: Script, arg?: unknown) =>
      onElement(`return (${script})(element, args[0])`, arg),
    dispatchEvent: (type: string) =>
      onElement(
        "element.dispatchEvent(new Event(args[0], { bubbles: true, composed: true }))",
        type,
      ),
    boundingBox: () =>
      run(`if (!element || !isShown(element)) return null;
        const { x, y, width, height } = element.getBoundingClientRect();
        return { x, y, width, height };`),
    focus,
    async waitFor({ state = "visible" }: { state?: string } = {}) {
      const condition = {
        visible: "found.some(isShown)",
        hidden: "!found.some(isShown)",
        attached: "found.length > 0",
        detached: "found.length === 0",
      }[state];
      await poll(`${name} to be ${state}`, () => run<true | null>(`return ${condition} || null`));
    },
    async click({ trial = false } = {}) {
      await waitUntilShown();
      if (trial) {
        await onElement(`const { x, y, width, height } = element.getBoundingClientRect();
          const hit = document.elementFromPoint(x + width / 2, y + height / 2);
          if (hit !== element) throw new Error("Covered by " + hit?.outerHTML)`);
        return;
      }
      await poll(`a click on ${name}`, async () => {
        const element = await run<Record<string, string> | null>(
          `return element && !element.matches("[aria-disabled=true], :disabled") ? element : null`,
        );
        if (!element) return;
        try {
          await page.call("POST", `/element/${element[ELEMENT]}/click`, {});
          return true;
        } catch (error) {
          if (!(error instanceof DriverError) || !/intercepted|stale/.test(error.message)) {
            throw error;
          }
        }
      });
    },
    async fill(text: string) {
      await waitUntilShown();
      await focus();
      await onElement(
        `element.select?.();
         const { execCommand } = Document.prototype;
         if (args[0] === "") execCommand.call(document, "delete");
         else execCommand.call(document, "insertText", false, args[0]);`,
        text,
      );
    },
    async press(key: string) {
      await focus();
      await page.keyboard.press(key);
    },
    async pressSequentially(text: string) {
      await focus();
      await page.keyboard.type(text);
    },
    async selectOption(option: string | { label: string }) {
      await waitUntilShown();
      await poll(`an option of ${name}`, () =>
        run<true | null>(
          `const option = [...element.options].find(({ value, label }) =>
           args[0].label === undefined ? value === args[0] : label === args[0].label);
         if (!option) return null;
         element.value = option.value;
         for (const type of ["input", "change"]) {
           element.dispatchEvent(new Event(type, { bubbles: true, composed: true }));
         }
         return true;`,
          option,
        ));
    },
  };
  return locator as unknown as Locator;
}

function isExpression(source: string): boolean {
  try {
    new Function(`return (${source}\n)`);
    return true;
  } catch {
    return false;
  }
}

/** Calls a probe until it returns something. @throws after eight seconds. */
async function poll<T>(what: string, probe: () => Promise<T | null | undefined>): Promise<T> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (true) {
    const value = await probe();
    if (value !== null && value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${TIMEOUT_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
