import { assertEquals, assertLess } from "@std/assert";
import { ROOT } from "./support/process.ts";

/** The output of `deno info --json`. */
interface Graph {
  roots: string[];
  redirects: Record<string, string>;
  modules: {
    specifier: string;
    dependencies?: { code?: { specifier?: string }; isDynamic?: boolean }[];
  }[];
}

/** Returns the modules that run before the first response: those that `main.ts` imports statically. */
async function staticImports(): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: ROOT,
  }).output();
  const { roots, redirects, modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const found = new Set<string>();
  const visit = (name: string): void => {
    const specifier = redirects[name] ?? name;
    if (found.has(specifier)) return;
    found.add(specifier);
    const module = modules.find((module) => module.specifier === specifier);
    for (const { code, isDynamic } of module?.dependencies ?? []) {
      if (code?.specifier !== undefined && !isDynamic) visit(code.specifier);
    }
  };
  visit(roots[0]!);
  return [...found];
}

Deno.test("the first response needs neither zod, jose nor the modules of the API", async () => {
  const imports = await staticImports();
  const packages = imports.filter((specifier) => specifier.startsWith("npm:"))
    .map((specifier) => /npm:\/?([^@/]+)/.exec(specifier)![1]!);
  assertEquals([...new Set(packages)], ["hono"]);
  const late = /\/(routes\/(app|auth|v1|openapi|panel|docs)|kv\/(client|[a-z_]+\.ts)|desk)\b/;
  assertEquals(imports.filter((specifier) => late.test(specifier)), []);
  // Each costs a tenth of a millisecond.
  assertLess(imports.length, 60);
});
