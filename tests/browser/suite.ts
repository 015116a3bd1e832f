import { assertEquals } from "@std/assert";
import type { Browser } from "playwright-core";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

/** Starts one Chromium for all tests of a file, and returns it as a function. */
export function useBrowser(): () => Browser {
  let browser: Browser;
  Deno.test.beforeAll(async () => {
    browser = await launch();
  });
  Deno.test.afterAll(() => browser?.close());
  return () => browser;
}

export interface StageTestOptions {
  /** Whether the page may complain in its console, as it does about a failed call. */
  allowsComplaints?: boolean;
  /** Options of every stage, before those of a test. */
  defaults?: StageOptions;
}

/** Returns a function that declares a test with a fresh stage. All of a file share one Chromium. */
export function useStageTests({ allowsComplaints = false, defaults }: StageTestOptions = {}) {
  const browser = useBrowser();
  return (name: string, run: (stage: Stage) => Promise<void>, options?: StageOptions): void => {
    Deno.test(name, UNSANITIZED, async () => {
      await using stage = await openStage(browser(), { ...defaults, ...options });
      await run(stage);
      if (!allowsComplaints) assertEquals(stage.complaints, []);
    });
  };
}
