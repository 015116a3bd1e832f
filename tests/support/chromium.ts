import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Playwright keeps a process and its pipes from the first test to the last. */
export const UNSANITIZED = { sanitizeOps: false, sanitizeResources: false };

/** Starts Debian's Chromium. */
export async function launch(options: LaunchOptions = {}): Promise<Browser> {
  try {
    await Deno.stat(CHROMIUM);
  } catch {
    throw new Error(
      `Cannot test the panel: there is no ${CHROMIUM}. Install Debian's package chromium`,
    );
  }
  return await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, ...options });
}
