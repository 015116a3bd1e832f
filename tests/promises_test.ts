import { assert, assertGreater } from "@std/assert";
import { ROOT } from "./support/process.ts";
import { testNames } from "./support/test_names.ts";

const readme = (await Deno.readTextFile(new URL("tests/README.md", ROOT))).replaceAll(/\s+/g, " ");

Deno.test("each test that tests/README.md names exists", async () => {
  const named = [...readme.matchAll(/`([\w/]+_test\.ts)`: "([^"]+)"/g)];
  assertGreater(named.length, 40);
  for (const [, path, name] of named) {
    const patterns = await testNames(`tests/${path}`);
    assert(patterns.some((pattern) => pattern.test(name!)), `${path} has no test "${name}"`);
  }
});

Deno.test("each folder of tests has a row in tests/README.md", async () => {
  for await (const { name, isDirectory } of Deno.readDir(new URL("tests/", ROOT))) {
    if (isDirectory) assert(readme.includes(`\`${name}/\``), `tests/README.md misses ${name}/`);
  }
});
