/** Facts that the deployment files repeat from other files. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import configuration from "../../deno.json" with { type: "json" };

const read = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));

Deno.test("the image runs main.ts with the V8 flags of the task serve", async () => {
  const [flags] = /(?<=--v8-flags=)\S+/.exec(configuration.tasks.serve.command)!;
  const found = [...(await read("Dockerfile")).matchAll(/DENO_V8_FLAGS=(\S+)/g)];
  assertEquals(found.map(([, value]) => value), [flags, flags]);
});

Deno.test("the image has the Deno version that README.md names", async () => {
  const [, version] = /^ARG DENO_VERSION=(.+)$/m.exec(await read("Dockerfile"))!;
  assertStringIncludes(await read("README.md"), `npx -y deno@${version} task dev`);
});

Deno.test("every replacement in compose.yaml matches a line of nginx.conf", async () => {
  const nginx = await read("config/deploy/nginx.conf");
  const compose = await read("compose.yaml");
  const replaced = [...compose.matchAll(/-e 's\|([^|]+)\|/g)].map(([, text]) => text!);
  assertEquals(replaced.length, 3);
  for (const text of replaced) assertStringIncludes(nginx, text);
  assert(compose.includes("-e '/^user /d'") && /^user /m.test(nginx));
});

Deno.test("the image contains only files of the product and of its tasks", async () => {
  const [first, ...rules] = (await read(".dockerignore")).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assertEquals(first, "*");
  const kept = rules.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1));
  for (const path of kept) await Deno.stat(new URL(`../../${path}`, import.meta.url));
  const ofTasks = /^tests(\/smoke|\/demo(\/(print_)?token\.ts)?)?$/;
  const strangers = kept.filter((path) =>
    /^(tests|\.env|deno\.json)/.test(path) && !ofTasks.test(path)
  );
  assertEquals(strangers, []);
  // A folder of which some files are kept.
  for (const folder of ["tests", "tests/demo"]) assert(rules.includes(`${folder}/*`), folder);
});

Deno.test("every documented compose command names the profile of its service", async () => {
  for (const path of ["README.md", "compose.yaml", "config/deploy/README.md"]) {
    const commands = (await read(path)).match(/docker compose .+/g)!;
    for (const command of commands) {
      // Compose does not start a service's dependencies if their profile is not enabled.
      const needsProfile = /(proxy|denokv|deskhand-shared)\b/.test(command.split("#")[0]!);
      assertEquals(needsProfile, command.includes("--profile shared "), command);
    }
  }
});
