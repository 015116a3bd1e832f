import { assertThrows } from "@std/assert";
import { type Config, InvalidConfigError, parseConfig } from "../../config/config.ts";

export const SECRET = "a secret for tests, of 32 bytes or more";
const REQUIRED = { AUTH_SECRET: SECRET, KV_PATH: "./deskhand.kv" };
export const DESK = {
  SUPPORT_DESK_URL: "https://desk.example/rt",
  SUPPORT_DESK_TOKEN: "1-23-abc",
  SUPPORT_DESK_QUEUE: "Support",
};
export const JWKS = {
  AUTH_SECRET: "",
  AUTH_JWKS_URL: "https://id.example/.well-known/jwks.json",
  AUTH_ISSUER: "https://id.example",
  AUTH_AUDIENCE: "deskhand",
};

/** Parses the required variables and `env`. */
export function parse(env: Record<string, string> = {}): Config {
  return parseConfig({ ...REQUIRED, ...env });
}

/** Returns the variables that the error names, in its order. */
export function rejectedNames(
  env: Record<string, string>,
  base: Record<string, string> = REQUIRED,
): string[] {
  const error = assertThrows(() => parseConfig({ ...base, ...env }), InvalidConfigError);
  return error.problems.map(({ names }) => names);
}
