import { type ConfigProblem, Environment } from "../environment.ts";
import { redactUrl } from "../redact.ts";
import { isOverridden, sourceOf, type VariableSources } from "./sources.ts";
import { isReadByDeno, SECRETS } from "./warnings.ts";

/** The variables that Deskhand reads, in the order of the report. */
export const VARIABLES: readonly string[] = Object.keys(Environment.shape);

const MAX_VALUE_LENGTH = 100;

/**
 * Returns one line per variable: its name, its value and the value's source. A secret is shown by its
 * length alone, and so is an invalid value, which may be a secret in the wrong variable.
 */
export function describeValues(
  sources: VariableSources,
  problems: readonly ConfigProblem[],
): string[] {
  const rows = VARIABLES.filter((name) => !isSetByDeploy(name) || sources.env[name]).map((name) => {
    const value = sources.env[name] ?? "";
    if (value === "") {
      const fallback = defaultOf(name);
      return [name, fallback ?? "unset", fallback === null ? "" : "default"];
    }
    const isInvalid = problems.some((problem) => problem.names === name);
    const source = sourceOf(name, sources) +
      (isOverridden(name, sources) ? ", wins over .env" : "");
    return [name, displayed(name, value, isInvalid), source];
  });
  const others = Object.keys(sources.env).filter((name) =>
    !VARIABLES.includes(name) && isReadByDeno(name) && sources.env[name] !== ""
  );
  for (const name of others.sort()) {
    rows.push([name, "set, read by Deno", sourceOf(name, sources)]);
  }
  const width = (column: number) =>
    Math.max(...rows.map((row) => Math.min(row[column]!.length, 44)));
  const [first, second] = [width(0), width(1)];
  return rows.map(([name, value, source]) =>
    `${name!.padEnd(first)}  ${value!.padEnd(second)}  ${source}`.trimEnd()
  );
}

/** Whether only Deno Deploy sets the variable, which is then of no use to a reader elsewhere. */
function isSetByDeploy(name: string): boolean {
  return name === "DENO_DEPLOY" || name === "DENO_DEPLOYMENT_ID";
}

/** Returns the default of a variable as text, or null if it has none. */
function defaultOf(name: string): string | null {
  const schema = Environment.shape[name as keyof typeof Environment.shape];
  const { data } = schema.safeParse(undefined);
  if (data === undefined) return null;
  return Array.isArray(data) && data.length === 0 ? "none" : String(data);
}

function displayed(name: string, value: string, isInvalid: boolean): string {
  const length = `${[...value].length} characters`;
  if (isInvalid) return `invalid, ${length}`;
  if (SECRETS.includes(name)) return `set, ${length}`;
  // User information and a query may hold a secret. Line breaks would end the row.
  const line = redactUrl(value).replaceAll(/\p{Cc}/gu, "?");
  return line.length > MAX_VALUE_LENGTH ? `${line.slice(0, MAX_VALUE_LENGTH)}…` : line;
}
