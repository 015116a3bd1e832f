import { assertEquals } from "@std/assert";
import type { Browser } from "playwright-core";
import { type Engine, launch, selectedEngines } from "../support/browsers.ts";
import { UNSANITIZED } from "../support/chromium.ts";
import { within } from "../support/wait_for.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

export interface SuiteOptions {
  /** Messages in the console, and uncaught errors, that fail a test. Default: every one. */
  forbids?: RegExp;
  /** Options of every stage, before those of a test. */
  defaults?: StageOptions;
  /** Engines that no test of the file can run in, each with the reason. */
  not?: Exclusions;
}

export interface TestOptions extends StageOptions {
  /** Engines that the test cannot run in, each with the reason. */
  not?: Exclusions;
}

type Exclusions = { [engine in Engine]?: string };

/** Why a test cannot run in WebKit. */
export const WEBKIT_LACKS = {
  clock: "Its driver cannot set the page's clock",
  events: "Its driver reports no requests and responses",
  frames: "Its driver finds no elements across frames",
  media: "Its driver cannot emulate media features",
  offline: "Its driver cannot switch the network off",
};

/**
 * Messages that fail a test whose page makes calls fail. Browsers report such a call with a `TypeError`
 * of its own: in this order Chromium, Firefox and WebKit.
 */
export const FAULTS =
  /TypeError(?!: (Failed to fetch|NetworkError|Load failed))|ReferenceError|Uncaught|Unhandled|policy|undefined/;

/** Longer than any test takes on a busy machine. A driver can wait for an event that never comes. */
const MAX_TEST_MS = 90_000;

/**
 * Returns a function that declares a test of a fresh stage, once for each engine that is selected (see
 * `selectedEngines`) and that can run it. The tests of a file share one browser of each engine. A
 * failed test has a second attempt, in a new browser: three of them at work make a machine miss moments
 * that a person would see.
 */
export function useStageTests({ forbids = /^/, defaults, not }: SuiteOptions = {}) {
  const browsers = new Map<string, Promise<Browser>>();
  Deno.test.afterAll(async () => {
    for (const browser of browsers.values()) await (await browser).close();
  });

  /** Firefox has its color scheme from its start. */
  const keyOf = (engine: Engine, { colorScheme }: StageOptions) =>
    engine === "firefox" ? `${engine} ${colorScheme}` : engine;

  function browserFor(engine: Engine, options: StageOptions): Promise<Browser> {
    const key = keyOf(engine, options);
    const browser = browsers.get(key) ?? launch(engine, options);
    browsers.set(key, browser);
    return browser;
  }

  async function closeBrowser(engine: Engine, options: StageOptions): Promise<void> {
    const key = keyOf(engine, options);
    const browser = browsers.get(key);
    browsers.delete(key);
    const closed = browser?.then((browser) => browser.close());
    await within("the browser closes", closed).catch(() => {});
  }

  return (name: string, run: (stage: Stage) => Promise<void>, options: TestOptions = {}): void => {
    for (const engine of selectedEngines()) {
      if (not?.[engine] ?? options.not?.[engine]) continue;
      const stageOptions = { ...defaults, ...options };
      const attempt = async () => {
        const browser = await browserFor(engine, stageOptions);
        await using stage = await openStage(browser, stageOptions);
        await within("the end of the test", run(stage), MAX_TEST_MS);
        assertEquals(stage.complaints.filter((text) => forbids.test(text)), []);
      };
      Deno.test(`${name} [${engine}]`, UNSANITIZED, async () => {
        try {
          await attempt();
        } catch (error) {
          // deno-lint-ignore no-console -- a test that passes only now deserves a look
          console.warn("Failed at the first attempt:", error);
          await closeBrowser(engine, stageOptions);
          await attempt();
        }
      });
    }
  };
}
