import { assert, assertLessOrEqual } from "@std/assert";
import { BUNDLE, bundlePanel, stopBundler } from "../../../routes/panel/build.ts";

/** esbuild's process ends a moment after the bundler has stopped. */
const UNSANITIZED = { sanitizeOps: false, sanitizeResources: false };

Deno.test("the committed panel.js is what its source bundles to", UNSANITIZED, async () => {
  const bundle = await bundlePanel();
  await stopBundler();
  const isCurrent = await Deno.readTextFile(BUNDLE) === bundle;
  assert(isCurrent, "routes/panel/panel.js is outdated: run `deno task build:panel`");
});

Deno.test("the panel is one file of at most 12 KiB gzipped", async () => {
  const { body } = new Response(await Deno.readFile(BUNDLE));
  const gzipped = await new Response(body!.pipeThrough(new CompressionStream("gzip"))).bytes();
  assertLessOrEqual(gzipped.length, 12 * 1024);
});
