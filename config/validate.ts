import { InvalidConfigError, parseConfig } from "./config.ts";

/** Says what is wrong with the environment before the service is given its permissions. */
try {
  parseConfig(Deno.env.toObject());
} catch (error) {
  if (!(error instanceof InvalidConfigError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
