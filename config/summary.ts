import type { Config } from "./config.ts";
import { redactUrl } from "./redact.ts";

/** What the log line `configured` says of the configuration. */
export interface ConfigSummary {
  /** Where requests are stored. */
  kv: Config["kv"]["kind"];
  /** The desk's URL, or `none`. */
  desk: string;
  queue?: string;
  /** Whose tokens are accepted: `AUTH_SECRET`, or the issuer. */
  callers: string;
  /** The origins that may call from a browser, separated by commas; absent if there are none. */
  origins?: string;
}

/** Summarizes the configuration for the log, without a secret. */
export function summarizeConfig({ kv, desk, auth, corsOrigins }: Config): ConfigSummary {
  return {
    kv: kv.kind,
    desk: desk?.url ?? "none",
    ...desk !== null && { queue: desk.queue },
    callers: auth.jwksUrl === undefined ? "AUTH_SECRET" : redactUrl(auth.issuer!),
    ...corsOrigins.length > 0 && { origins: corsOrigins.join(",") },
  };
}
