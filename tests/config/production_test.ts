import { assertEquals, assertGreater, assertMatch, assertNotEquals } from "@std/assert";
import production from "../../config/deploy/production.json" with { type: "json" };
import development from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);
const PRODUCTION = "config/deploy/production.json";

/** The tasks that an operator runs. Each must work with the packages of production alone. */
const OPERATOR_TASKS = ["config", "config:env", "dev", "serve", "smoke", "token"] as const;

interface Lock {
  npm: Record<string, { integrity: string }>;
}

/** The output of `deno info --json` for an entry point. */
interface Graph {
  modules: { error?: string; dependencies?: { specifier: string; code?: { error?: string } }[] }[];
  npmPackages: Record<string, unknown>;
}

async function readLock(path: string): Promise<Lock> {
  return JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
}

/** Returns the module graph of an entry point as production resolves it. */
async function readGraph(entryPoint: string): Promise<Graph> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", `--config=${PRODUCTION}`, "--json", entryPoint],
    cwd: ROOT,
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function unresolved({ modules }: Graph): string[] {
  return modules.flatMap(({ error, dependencies = [] }) => [
    ...error === undefined ? [] : [error],
    ...dependencies.flatMap(({ code }) => code?.error ?? []),
  ]);
}

Deno.test("production and tests resolve imports with the same settings and versions", async () => {
  const tests: Omit<typeof development, "tasks"> = JSON.parse(
    await Deno.readTextFile(new URL("tests/deno.json", ROOT)),
  );
  for (const { unstable, allowScripts } of [production, tests]) {
    assertEquals({ unstable, allowScripts }, {
      unstable: development.unstable,
      allowScripts: development.allowScripts,
    });
  }
  assertEquals(tests.compilerOptions, development.compilerOptions);
  assertEquals(production.imports, development.imports);
  const versions: Record<string, string> = tests.imports;
  const names = Object.keys(production.imports);
  assertEquals(production.imports, Object.fromEntries(names.map((name) => [name, versions[name]])));
});

Deno.test("production locks the same packages as the tests", async () => {
  const [locked, all] = await Promise.all(["deno.lock", "tests/deno.lock"].map(readLock));
  for (const [name, { integrity }] of Object.entries(locked!.npm)) {
    assertEquals([name, integrity], [name, all!.npm[name]?.integrity]);
  }
  assertNotEquals(Object.keys(locked!.npm), Object.keys(all!.npm));
});

Deno.test("production installs only what main.ts imports", async () => {
  const graph = await readGraph("main.ts");
  assertEquals(unresolved(graph), []);
  const locked = await readLock("deno.lock");
  assertEquals(Object.keys(locked.npm).sort(), Object.keys(graph.npmPackages).sort());
});

for (const task of OPERATOR_TASKS) {
  Deno.test(`the task ${task} needs only the packages of production`, async () => {
    // A task may run several programs: what `$(…)` prints, and the one at its end.
    const programs = development.tasks[task].command.split(/&&|\$\(|\)/)
      .map((command) => command.trim().split(" ")).filter(([program]) => program === "deno");
    assertGreater(programs.length, 0);
    for (const args of programs) {
      const graph = await readGraph(args.findLast((arg) => arg.endsWith(".ts"))!);
      assertEquals(unresolved(graph), []);
      if (args.includes("--no-config")) {
        assertEquals(graph.modules.length, 1, "it imports nothing");
      } else {
        assertEquals(args.filter((arg) => arg.startsWith("--config")), [`--config=${PRODUCTION}`]);
      }
    }
  });
}

Deno.test("every task that reads .env says where its configuration comes from", () => {
  const tasks = Object.entries(development.tasks).filter(([, { command }]) =>
    command.includes("--env-file=.env")
  );
  assertEquals(tasks.map(([name]) => name).sort(), ["config", "erase", "smoke", "start", "token"]);
  for (const [name, { command }] of tasks) {
    assertMatch(command, /^export DESKHAND_ENVIRONMENT=\$\(deno run .*environment_names\.ts\) &&/);
    // The tasks serve and erase:run depend on config:env, which runs validate.ts.
    assertMatch(command, /report\/main\.ts|validate\.ts --sources|task .*(serve|erase:run)$/, name);
  }
});
