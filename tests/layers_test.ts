import { assertEquals } from "@std/assert";

/** What each folder of the product may import of the others. */
const MAY_IMPORT: Record<string, string[]> = {
  config: [],
  domain: [],
  desk: ["domain"],
  kv: ["domain"],
  routes: ["domain"],
};

async function* sources(folder: string): AsyncGenerator<{ path: string; text: string }> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (path.endsWith(".ts")) yield { path, text: await Deno.readTextFile(path) };
  }
}

const root = new URL("..", import.meta.url).pathname;

/** The modules of the product that a module imports, types included, as absolute paths. */
function importsOf(path: string, text: string): string[] {
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return specifiers.map(([, specifier]) => new URL(specifier!, `file://${path}`).pathname)
    .toArray();
}

Deno.test("the product has no import cycle", async () => {
  const imports = new Map<string, string[]>();
  for (const folder of Object.keys(MAY_IMPORT)) {
    for await (const { path, text } of sources(root + folder)) {
      imports.set(path, importsOf(path, text));
    }
  }
  const done = new Set<string>();
  const visit = (path: string, above: string[]): void => {
    const start = above.indexOf(path);
    if (start !== -1) {
      const cycle = [...above.slice(start), path].map((path) => path.slice(root.length));
      throw new Error(`Import cycle: ${cycle.join(" → ")}`);
    }
    if (done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...above, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
});

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  Deno.test(`${folder} imports nothing of the product but ${allowed.join(", ") || "itself"}`, async () => {
    const strangers: string[] = [];
    for await (const { path, text } of sources(root + folder)) {
      for (const imported of importsOf(path, text)) {
        const target = imported.slice(root.length).split("/")[0]!;
        if (target !== folder && !allowed.includes(target)) strangers.push(`${path}: ${imported}`);
      }
    }
    assertEquals(strangers, []);
  });

  Deno.test(`${folder} neither reads the environment nor opens KV nor reads the clock`, async () => {
    const readers: string[] = [];
    // These files are the system clock, are there to be run, or are given the place of the store.
    const exempt = [
      "config/clock.ts",
      "config/validate.ts",
      "config/report/main.ts",
      "config/report/environment_names.ts",
      "config/deploy/health.ts",
      "kv/open/open_store.ts",
      "kv/open/open_file.ts",
    ];
    for await (const { path, text } of sources(root + folder)) {
      if (exempt.some((name) => path.endsWith(name))) continue;
      // It runs in browsers and in other services.
      if (path.includes("/routes/client/")) continue;
      const found = /Deno\.(env|openKv)|Date\.now\(|performance\.now\(|new Date\(\)|Math\.random\(/
        .exec(text);
      if (found) readers.push(`${path}: ${found[0]}`);
    }
    assertEquals(readers, []);
  });
}

Deno.test("tests import other folders of tests only from support/ and the tasks", async () => {
  const strangers: string[] = [];
  for await (const { path, text } of sources(`${root}tests`)) {
    const [, folder] = path.slice(root.length).split("/");
    for (const imported of importsOf(path, text)) {
      const [top, target] = imported.slice(root.length).split("/");
      if (top !== "tests" || [folder, "support", "demo", "smoke", "release"].includes(target)) {
        continue;
      }
      strangers.push(`${path.slice(root.length)}: ${imported.slice(root.length)}`);
    }
  }
  assertEquals(strangers, []);
});
