/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { INTERNAL_PROPERTIES } from "../../routes/panel/build.ts";
import { launch, UNSANITIZED } from "../support/chromium.ts";

Deno.test({
  name: "no property that the bundle renames belongs to the browser",
  ...UNSANITIZED,
  async fn() {
    await using browser = await launch();
    const page = await browser.newPage();
    const known = await page.evaluate((names) => {
      // Interfaces have a capital: reading others, such as `localStorage`, can be forbidden.
      const interfaces = Object.getOwnPropertyNames(globalThis).filter((name) =>
        /^[A-Z]/.test(name)
      );
      const prototypes = interfaces.flatMap((name) => {
        const value = (globalThis as unknown as Record<string, { prototype?: unknown }>)[name];
        return typeof value?.prototype === "object" && value.prototype ? [value.prototype] : [];
      });
      return names.filter((name) => prototypes.some((prototype) => name in prototype));
    }, [...INTERNAL_PROPERTIES]);
    assertEquals(known, []);
  },
});
