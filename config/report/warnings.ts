import { hasHttpProxy } from "../http_hosts.ts";
import { looksLikeExample } from "./example_secrets.ts";
import type { Assignment, EnvFile } from "./env_file.ts";
import { closestName, findMisspelt } from "./misspelt.ts";
import type { VariableSources } from "./sources.ts";

/** The variables whose values are never printed. */
export const SECRETS: readonly string[] = [
  "AUTH_SECRET",
  "SUPPORT_DESK_TOKEN",
  "DENO_KV_ACCESS_TOKEN",
];

/** The variables that Deno itself reads. */
const READ_BY_DENO = /^(DENO_\w+|OTEL_\w+|NODE_EXTRA_CA_CERTS|NO_COLOR|((HTTPS?|ALL|NO)_PROXY))$/i;

/** Whether Deno, not Deskhand, reads the variable. */
export function isReadByDeno(name: string): boolean {
  return READ_BY_DENO.test(name);
}

/**
 * Returns what an operator should look at although the configuration may be valid: values that Deno
 * reads differently than they are written, values that are hidden, proxies, and secrets that look like
 * examples. Contains no value.
 *
 * @param names The variables that Deskhand reads.
 * @param mode The permission bits of `.env`, if there is such a file.
 */
export function findWarnings(
  names: readonly string[],
  sources: VariableSources,
  mode: number | null,
): string[] {
  const { file, environmentNames } = sources;
  return [
    ...file === null ? [] : fileWarnings(file, mode),
    ...file === null ? [] : nameWarnings(names, file),
    ...findMisspelt(environmentNames, names),
    ...names.filter((name) => isHiddenByEmpty(name, sources)).map((name) =>
      `${name} is empty in the environment, which hides the value in .env: unset it`
    ),
    ...findEdgeWarnings(names, sources.env),
    ...exampleWarnings(sources.env),
    ...proxyWarnings(sources.env),
  ];
}

function fileWarnings(file: EnvFile, mode: number | null): string[] {
  const { hasByteOrderMark, hasCarriageReturns, assignments, otherLines } = file;
  const warnings = [];
  if (hasByteOrderMark) {
    const first = assignments[0]?.line === 1 ? `, so ${assignments[0].name} is not read` : "";
    warnings.push(
      `.env begins with a byte order mark${first}: save it as UTF-8 without byte order mark`,
    );
  }
  if (hasCarriageReturns) {
    warnings.push(
      "lines of .env end in CR LF: Deno accepts that, but Docker and shells make the CR part of " +
        "each value. Save it with LF line endings",
    );
  }
  if (mode !== null && (mode & 0o077) !== 0) {
    warnings.push(
      `.env has mode ${(mode & 0o777).toString(8).padStart(4, "0")} and secrets: chmod 600 .env`,
    );
  }
  for (const line of otherLines) {
    warnings.push(`line ${line} of .env is not NAME=value and has no effect`);
  }
  return [...warnings, ...assignments.flatMap((assignment) => valueWarnings(assignment, file))];
}

function valueWarnings(assignment: Assignment, file: EnvFile): string[] {
  const { name, raw, quoting, line } = assignment;
  const warnings = [];
  const earlier = file.assignments.find((other) => other.name === name && other.line < line);
  if (earlier !== undefined) {
    warnings.push(
      `${name} is set again in line ${line} of .env: Deno takes line ${earlier.line}, systemd and ` +
        "Docker take the last one. Remove all but one",
    );
  }
  // Deno expands `$word` and `${word}`, and removes the `$` that no word follows.
  if (quoting !== "single" && /(^|[^\\])\$/.test(raw)) {
    warnings.push(`${name} has a '$' outside single quotes, which Deno expands: ${QUOTE_IT}`);
  }
  if (assignment.isCut) warnings.push(`${name} is cut at its '#': ${QUOTE_IT}`);
  if (quoting === "double" && /\\[nr]/.test(raw)) {
    warnings.push(`${name} has a backslash in double quotes, which Deno expands: ${QUOTE_IT}`);
  }
  if (assignment.hasTail) {
    warnings.push(`${name} has characters after its closing quote, which Deno ignores`);
  }
  if (assignment.takesNextLine) {
    warnings.push(
      `${name} has a blank after '=' and no value, so Deno takes the next line for its value: ` +
        "remove the blank",
    );
  }
  if (quoting === "none" && /^['"`]/.test(raw)) {
    warnings.push(`${name} begins with a quote that is not closed: close it`);
  }
  return warnings;
}

const QUOTE_IT = "put the value in single quotes";

/** Finds names in `.env` that nothing reads, which are misspelt or belong to another program. */
function nameWarnings(names: readonly string[], { names: set }: EnvFile): string[] {
  const unknown = [...set].filter((name) =>
    !names.includes(name) && !isReadByDeno(name) && /^\w+$/.test(name)
  );
  return unknown.map((name) => {
    const close = closestName(name, names);
    const hint = close === undefined ? "" : ` (is it ${close}?)`;
    return `${name} in .env is no variable of Deskhand${hint} and is ignored`;
  });
}

function isHiddenByEmpty(name: string, { env, environmentNames, file }: VariableSources): boolean {
  if (file === null || !environmentNames.has(name) || env[name] !== "") return false;
  return file.assignments.some((assignment) => assignment.name === name && assignment.raw !== "");
}

/**
 * Returns a warning for each value with a blank, a CR or quotes around it, which Docker and some
 * supervisors pass on as they are in a file. Contains no value.
 */
export function findEdgeWarnings(names: readonly string[], env: Record<string, string>): string[] {
  return names.flatMap((name) => {
    const value = env[name] ?? "";
    if (/^(['"]).*\1$/.test(value)) {
      return `${name} begins and ends with a quote, which is part of it: remove the quotes`;
    }
    if (value === value.trim()) return [];
    return `${name} begins or ends with a blank or a CR, which is part of it: remove it`;
  });
}

function exampleWarnings(env: Record<string, string>): string[] {
  return SECRETS.filter((name) => looksLikeExample(env[name] ?? "")).map((name) =>
    `${name} looks like an example: anyone can guess it. Set a random value`
  );
}

function proxyWarnings(env: Record<string, string>): string[] {
  const isSet = (pattern: RegExp) =>
    Object.keys(env).filter((name) => pattern.test(name) && env[name] !== "").sort();
  const https = isSet(/^(https|all)_proxy$/i);
  const warnings = [];
  if (https.length > 0) {
    warnings.push(
      `${https.join(", ")}: requests to https URLs go through this proxy, except to the hosts in ` +
        "NO_PROXY",
    );
  }
  if (hasHttpProxy(env)) {
    warnings.push(
      `${
        isSet(/^(http|all)_proxy$/i).join(", ")
      }: requests by plain http, to this machine and to ` +
        "ALLOW_HTTP_HOSTS, bypass this proxy",
    );
  }
  return warnings;
}
