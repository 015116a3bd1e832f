import { assertEquals } from "@std/assert";
import type { Browser } from "playwright-core";
import { type Engine, launch, selectedEngines } from "../support/browsers.ts";
import { UNSANITIZED } from "../support/chromium.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

/** Starts one Chromium for all tests of a file, and returns it as a function. */
export function useBrowser(): () => Browser {
  let browser: Browser;
  Deno.test.beforeAll(async () => {
    browser = await launch("chromium");
  });
  Deno.test.afterAll(() => browser?.close());
  return () => browser;
}

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

/**
 * Returns a function that declares a test of a fresh stage, once for each engine that is selected (see
 * `selectedEngines`) and that can run it. The tests of a file share one browser of each engine.
 */
export function useStageTests({ forbids = /^/, defaults, not }: SuiteOptions = {}) {
  const browsers = new Map<string, Promise<Browser>>();
  Deno.test.afterAll(async () => {
    for (const browser of browsers.values()) await (await browser).close();
  });

  function browserFor(engine: Engine, { colorScheme }: StageOptions): Promise<Browser> {
    const key = engine === "firefox" ? `${engine} ${colorScheme}` : engine;
    const browser = browsers.get(key) ?? launch(engine, { colorScheme });
    browsers.set(key, browser);
    return browser;
  }

  return (name: string, run: (stage: Stage) => Promise<void>, options: TestOptions = {}): void => {
    for (const engine of selectedEngines()) {
      if (not?.[engine] ?? options.not?.[engine]) continue;
      Deno.test(`${name} [${engine}]`, UNSANITIZED, async () => {
        const stageOptions = { ...defaults, ...options };
        const browser = await browserFor(engine, stageOptions);
        await using stage = await openStage(browser, stageOptions);
        await run(stage);
        assertEquals(stage.complaints.filter((text) => forbids.test(text)), []);
      });
    }
  };
}
