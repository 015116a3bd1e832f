import { assertThrows } from "@std/assert";
import { InvalidConfigError, parseConfig } from "../../config/config.ts";

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

/** Parses what is required and `env`. */
export const parse = (env: Record<string, string> = {}) => parseConfig({ ...REQUIRED, ...env });

/** The variables that a refusal names, in its order. */
export function refused(
  env: Record<string, string>,
  base: Record<string, string> = REQUIRED,
): string[] {
  const { message } = assertThrows(() => parseConfig({ ...base, ...env }), InvalidConfigError);
  return message.split("\n").slice(1).map((line) => line.trim().split(": ")[0]!);
}
