import type { Browser } from "playwright-core";
import { launch as launchChromium } from "./chromium.ts";
import { launchFirefox } from "./firefox.ts";
import { launchWebKit } from "./webkit/page.ts";

/** The browser engines that the panel is tested in. */
export type Engine = typeof ENGINES[number];

const ENGINES = ["chromium", "firefox", "webkit"] as const;

export interface LaunchOptions {
  /** What the operating system prefers. */
  colorScheme?: "light" | "dark";
}

/** Starts Debian's browser of an engine. */
export function launch(engine: Engine, options: LaunchOptions = {}): Promise<Browser> {
  if (engine === "webkit") return launchWebKit();
  // Chromium sets the color scheme of each page instead.
  return engine === "firefox" ? launchFirefox(options) : launchChromium();
}

/**
 * Returns the engines that the environment variable `BROWSER` names, separated by commas, or all if it
 * is unset.
 *
 * @throws if it names another.
 */
export function selectedEngines(): readonly Engine[] {
  const names = Deno.env.get("BROWSER")?.split(",") ?? ENGINES;
  return names.map((name) => {
    const engine = ENGINES.find((engine) => engine === name);
    if (!engine) throw new Error(`BROWSER must be of ${ENGINES.join(", ")}, not '${name}'`);
    return engine;
  });
}
