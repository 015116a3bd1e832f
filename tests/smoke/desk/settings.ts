import * as z from "zod";
import { Environment } from "../../../config/environment.ts";
import { isSafeInTransit } from "../../../config/http_hosts.ts";
import { normalizeBaseUrl } from "../../../desk/link.ts";
import type { Env } from "../settings.ts";

/** What creates and grants everything that Deskhand needs at RT. */
export const SETUP_SCRIPT = "config/deploy/request_tracker_setup.pl";

/** The desk as the service has it in its configuration. */
export interface DeskSettings {
  /** `SUPPORT_DESK_URL` without a trailing slash. */
  baseUrl: string;
  token: string;
  queue: string;
  referenceField: string;
}

const DeskEnvironment = z.object({
  SUPPORT_DESK_URL: Environment.shape.SUPPORT_DESK_URL.unwrap(),
  SUPPORT_DESK_TOKEN: Environment.shape.SUPPORT_DESK_TOKEN.unwrap(),
  SUPPORT_DESK_QUEUE: Environment.shape.SUPPORT_DESK_QUEUE.unwrap(),
  SUPPORT_DESK_REFERENCE_FIELD: Environment.shape.SUPPORT_DESK_REFERENCE_FIELD,
  ALLOW_HTTP_HOSTS: Environment.shape.ALLOW_HTTP_HOSTS,
}).refine((env) => isSafeInTransit(env.SUPPORT_DESK_URL, env.ALLOW_HTTP_HOSTS), {
  path: ["ALLOW_HTTP_HOSTS"],
  error: "must list the desk's host if SUPPORT_DESK_URL is plain http",
});

/**
 * Reads the desk's settings, or names the variables that are missing or invalid. With plain http to
 * a host that is not allowed, the desk's token is never sent from here, either.
 */
export function readDeskSettings(env: Env): DeskSettings | { missing: string[] } {
  const parsed = DeskEnvironment.safeParse(env);
  if (!parsed.success) {
    return { missing: [...new Set(parsed.error.issues.map(({ path }) => path.join(".")))] };
  }
  const { data } = parsed;
  return {
    baseUrl: normalizeBaseUrl(data.SUPPORT_DESK_URL),
    token: data.SUPPORT_DESK_TOKEN,
    queue: data.SUPPORT_DESK_QUEUE,
    referenceField: data.SUPPORT_DESK_REFERENCE_FIELD,
  };
}
