/// <reference lib="dom" />
import { type Browser, type BrowserContext, firefox } from "playwright-core";

const FIREFOX = "/usr/bin/firefox-esr";

export interface FirefoxOptions {
  colorScheme?: "light" | "dark";
}

/**
 * Starts Debian's Firefox, which Playwright drives over WebDriver BiDi. The color scheme is a preference
 * of the whole browser, because this Firefox has no BiDi command for media features.
 */
export async function launchFirefox({ colorScheme = "light" }: FirefoxOptions = {}): Promise<
  Browser
> {
  try {
    await Deno.stat(FIREFOX);
  } catch {
    throw new Error(
      `Cannot test in Firefox: there is no ${FIREFOX}. Install Debian's package firefox-esr`,
    );
  }
  const browser = await firefox.launch({
    executablePath: FIREFOX,
    channel: "moz-firefox",
    firefoxUserPrefs: {
      "layout.css.prefers-color-scheme.content-override": colorScheme === "dark" ? 0 : 1,
      "ui.prefersReducedMotion": 1,
    },
  });
  omitMediaFeatures(browser);
  return browser;
}

interface BidiSession {
  send(method: string, params?: unknown): Promise<unknown>;
}

/**
 * Stops Playwright from sending `emulation.setMediaFeaturesOverride`, which it sends for every context
 * and which Firefox 153 rejects as unknown. Playwright runs in this process, so its side of the
 * protocol can be reached.
 */
function omitMediaFeatures(browser: Browser): void {
  const { _connection } = browser as unknown as {
    _connection: { toImpl(browser: Browser): { _browserSession: BidiSession } };
  };
  const session: BidiSession = Object.getPrototypeOf(_connection.toImpl(browser)._browserSession);
  const { send } = session;
  session.send = function (method, params) {
    if (method === "emulation.setMediaFeaturesOverride") return Promise.resolve({});
    return send.call(this, method, params);
  };
}

/**
 * Makes text that Playwright fills in replace what is selected, as typing does. Its own way appends to
 * what an email field has, and goes unnoticed by React, because it writes `value`.
 */
export async function fillLikeTyping(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    // A page under test may have images of these names.
    const { execCommand } = Document.prototype;
    const active = Object.getOwnPropertyDescriptor(Document.prototype, "activeElement")!.get!;
    const insert = (text: string) => {
      const focused = active.call(document);
      // Playwright looks into a frame that it is given.
      if (focused instanceof HTMLIFrameElement) return focused;
      execCommand.call(document, "insertText", false, text);
    };
    Object.defineProperty(window, "__pw_bidiInsertText", { get: () => insert, set() {} });
  });
}
