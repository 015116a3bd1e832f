/** What the files for deployment repeat of other files must stay the same. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import configuration from "../../deno.json" with { type: "json" };

const read = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));

Deno.test("the image runs main.ts with the flags of V8 that the task serve gives", async () => {
  const [flags] = /(?<=--v8-flags=)\S+/.exec(configuration.tasks.serve.command)!;
  const found = [...(await read("Dockerfile")).matchAll(/DENO_V8_FLAGS=(\S+)/g)];
  assertEquals(found.map(([, value]) => value), [flags, flags]);
});

Deno.test("the image has the version of Deno that README.md names", async () => {
  const [, version] = /^ARG DENO_VERSION=(.+)$/m.exec(await read("Dockerfile"))!;
  assertStringIncludes(await read("README.md"), `npx -y deno@${version} task start`);
});

Deno.test("compose.yaml finds in nginx.conf each thing that it replaces", async () => {
  const nginx = await read("config/deploy/nginx.conf");
  const compose = await read("compose.yaml");
  const replaced = [...compose.matchAll(/-e 's\|([^|]+)\|/g)].map(([, text]) => text!);
  assertEquals(replaced.length, 3);
  for (const text of replaced) assertStringIncludes(nginx, text);
  assert(compose.includes("-e '/^user /d'") && /^user /m.test(nginx));
});

Deno.test("the image gets only files of the product, whatever lies beside them", async () => {
  const [first, ...rules] = (await read(".dockerignore")).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assertEquals(first, "*");
  const kept = rules.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1));
  for (const path of kept) await Deno.stat(new URL(`../../${path}`, import.meta.url));
  assert(!kept.some((path) => /^(tests|\.env|deno\.)/.test(path)), kept.join(" "));
});
