/**
 * Builds the npm packages below `npm/`, ready for `npm publish`, and packs each into a tarball.
 *
 * `deno task build:npm`. Needs npm, which also provides the compiler.
 */
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname;
const OUT = `${ROOT}npm`;
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

/**
 * Compiles modules to JavaScript and declarations that import each other as `.js`. The compiler
 * rewrites the imports of the former only.
 */
async function compile(files: string[], rootDir: string, outDir: string): Promise<void> {
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
  ]);
  for await (const { name } of Deno.readDir(outDir)) {
    if (!name.endsWith(".d.ts")) continue;
    const text = await Deno.readTextFile(`${outDir}/${name}`);
    const rewritten = text.replaceAll(/(from "\.\/[^"]+)\.ts"/g, '$1.js"');
    await Deno.writeTextFile(`${outDir}/${name}`, rewritten);
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
  return [await buildClient()];
}

if (import.meta.main) {
  for (const { name, tarball } of await buildPackages()) {
    const { size } = await Deno.stat(tarball);
    console.log(`${name} ${config.version}: ${tarball.slice(ROOT.length)}, ${size} bytes`);
  }
}
