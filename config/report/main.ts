/** `deno task config`: prints the configuration, where it comes from, and what it means. */
import { type Config, InvalidConfigError, parseConfig } from "../config.ts";
import type { ConfigProblem } from "../environment.ts";
import { initEnvFile } from "./init.ts";
import { describeMeaning } from "./meaning.ts";
import { readSources } from "./read_sources.ts";
import { describeValues, VARIABLES } from "./values.ts";
import { findWarnings } from "./warnings.ts";

const USAGE = `Usage: deno task config [--init]

Prints the configuration in the environment and in .env, which the environment overrides, and what is
wrong with it. Secrets are not shown.

  --init  creates .env from .env.example with a generated AUTH_SECRET, or fills in an AUTH_SECRET
          that is empty in .env`;

async function report(): Promise<void> {
  const { sources, mode, readError } = await readSources(Deno.env.toObject(), ".env");
  let problems: ConfigProblem[] = [];
  let config: Config | null = null;
  try {
    config = parseConfig(sources.env);
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    problems = error.problems;
  }
  const from = sources.file === null
    ? "the environment (without .env)"
    : "the environment and .env (the environment wins)";
  console.log(`Configuration in ${from}\n`);
  printLines(describeValues(sources, problems));
  if (config !== null) {
    console.log("\nWhat it means\n");
    printLines(describeMeaning(config));
  }
  const warnings = findWarnings(VARIABLES, sources, mode);
  if (readError !== null) warnings.unshift(`.env cannot be read: ${readError}`);
  if (warnings.length > 0) {
    console.log("\nWarnings\n");
    printLines(warnings);
  }
  if (problems.length === 0) return;
  console.error(`\n${new InvalidConfigError(problems).message}`);
  if (problems.some(({ names }) => names === "AUTH_SECRET, AUTH_JWKS_URL")) {
    console.error("\n'deno task config --init' sets a generated AUTH_SECRET in .env");
  }
  Deno.exitCode = 1;
}

async function init(): Promise<void> {
  try {
    console.log(await initEnvFile(".env", ".env.example"));
    console.log(
      "Next: append the lines that config/deploy/request_tracker_setup.pl prints to it (or edit it), " +
        "and check it with 'deno task config'",
    );
  } catch (error) {
    console.error(`Cannot create .env: ${(error as Error).message}`);
    Deno.exitCode = 1;
  }
}

function printLines(lines: string[]): void {
  for (const line of lines) console.log(`  ${line}`);
}

const [flag, ...others] = Deno.args;
if (flag === undefined) {
  await report();
} else if (flag === "--init" && others.length === 0) {
  await init();
} else {
  console.error(USAGE);
  Deno.exitCode = flag === "--help" ? 0 : 1;
}
