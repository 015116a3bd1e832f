/**
 * Builds the npm packages below `npm/`, ready for `npm publish`, and packs each into a tarball.
 *
 * `deno task build:npm`. Needs npm, which also provides the compiler.
 */
import { bundleModules } from "../../routes/panel/build.ts";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname;
const OUT = `${ROOT}npm`;
/** Entries of the panel that add its types to those of a framework. */
const FRAMEWORKS = ["react", "vue", "svelte"];

const TYPESCRIPT = "typescript@7.0.2";

/** A command that takes longer hangs, and is ended. */
const LIMIT_MS = 240_000;

export interface Package {
  name: string;
  directory: string;
  /** The path of the packed package. */
  tarball: string;
}

const COMMON = {
  version: config.version,
  license: "MIT",
  type: "module",
  sideEffects: false as boolean | string[],
  engines: { node: ">=20" },
};

async function buildClient(): Promise<Package> {
  const directory = `${OUT}/client`;
  await compile(["routes/client/client.ts"], "routes/client", directory);
  return await pack(directory, "routes/client/README.md", {
    ...COMMON,
    name: "@deskhand/client",
    description: "A typed client of Deskhand's HTTP API, with retries that create no second ticket",
    exports: { ".": { types: "./client.d.ts", default: "./client.js" } },
    types: "./client.d.ts",
  });
}

async function buildPanel(): Promise<Package> {
  const directory = `${OUT}/panel`;
  const source = `${ROOT}routes/panel/npm`;
  await bundleModules([`${source}/index.ts`, `${source}/define.ts`], directory);
  await compile(["routes/panel/npm/index.ts"], "routes/panel", `${directory}/types`, [
    ...["--emitDeclarationOnly", "--noCheck"],
  ]);
  // `index.js` is the module of every entry whose types add to a framework's.
  await Deno.writeTextFile(`${directory}/index.d.ts`, 'export * from "./types/npm/index.js";\n');
  await Deno.writeTextFile(`${directory}/define.d.ts`, "export {};\n");
  for (const name of ["attributes", ...FRAMEWORKS]) {
    await Deno.copyFile(`${source}/${name}.d.ts`, `${directory}/${name}.d.ts`);
  }
  await Deno.copyFile(`${source}/custom-elements.json`, `${directory}/custom-elements.json`);
  const entry = (types: string, module: string) => ({
    types: `./${types}.d.ts`,
    default: `./${module}.js`,
  });
  return await pack(directory, "routes/panel/README.md", {
    ...COMMON,
    sideEffects: ["./define.js"],
    name: "@deskhand/panel",
    description: "The support request panel as a custom element, with types for every framework",
    exports: {
      ".": entry("index", "index"),
      "./define": entry("define", "define"),
      ...Object.fromEntries(FRAMEWORKS.map((name) => [`./${name}`, entry(name, "index")])),
      "./custom-elements.json": "./custom-elements.json",
      "./package.json": "./package.json",
    },
    types: "./index.d.ts",
    customElements: "./custom-elements.json",
    peerDependencies: Object.fromEntries(FRAMEWORKS.map((name) => [name, "*"])),
    peerDependenciesMeta: Object.fromEntries(
      FRAMEWORKS.map((name) => [name, { optional: true }]),
    ),
  });
}

/**
 * Compiles modules to JavaScript and declarations that import each other as `.js`. The compiler
 * rewrites the imports of the former only.
 */
async function compile(
  files: string[],
  rootDir: string,
  outDir: string,
  options: string[] = [],
): Promise<void> {
  await run("npx", [
    "--yes",
    "--package",
    TYPESCRIPT,
    "tsc",
    ...files,
    ...["--rootDir", rootDir, "--outDir", outDir],
    ...["--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"],
    ...["--lib", "es2022,dom,dom.iterable", "--types", ""],
    ...["--strict", "--declaration", "--rewriteRelativeImportExtensions"],
    ...["--noUncheckedIndexedAccess", "--noImplicitOverride"],
    ...options,
  ]);
  await rewriteImports(outDir);
}

/** Makes declarations import `./x.js` for `./x.ts`. */
async function rewriteImports(directory: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) await rewriteImports(path);
    if (!name.endsWith(".d.ts")) continue;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      text.replaceAll(/((?:from|import\() ?"\.[^"]+)\.ts"/g, '$1.js"'),
    );
  }
}

async function pack(
  directory: string,
  readme: string,
  manifest: Record<string, unknown> & { name: string },
): Promise<Package> {
  await Deno.copyFile(`${ROOT}${readme}`, `${directory}/README.md`);
  await Deno.copyFile(`${ROOT}LICENSE`, `${directory}/LICENSE`);
  const text = JSON.stringify(manifest, null, 2) + "\n";
  await Deno.writeTextFile(`${directory}/package.json`, text);
  const output = await run("npm", ["pack", "--json", "--pack-destination", OUT, directory]);
  const [{ filename }] = JSON.parse(output);
  return { name: manifest.name, directory, tarball: `${OUT}/${filename}` };
}

/**
 * Runs a command in `cwd` and returns its standard output.
 *
 * @throws {Error} The command failed, or took longer than four minutes.
 */
export async function run(command: string, args: string[], cwd = ROOT): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${command} ${args.join(" ")}\n${output}${errors}`);
  return output!;
}

/** Builds every package into an empty `npm/`. */
export async function buildPackages(): Promise<Package[]> {
  await Deno.remove(OUT, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(OUT);
  return [await buildClient(), await buildPanel()];
}

if (import.meta.main) {
  for (const { name, tarball } of await buildPackages()) {
    const { size } = await Deno.stat(tarball);
    console.log(`${name} ${config.version}: ${tarball.slice(ROOT.length)}, ${size} bytes`);
  }
}
