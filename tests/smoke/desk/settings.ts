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

/**
 * Reads the desk's settings, or names the variables that are missing or invalid. With plain http to
 * a host that is not allowed, the desk's token is never sent from here, either.
 */
export function readDeskSettings(env: Env): DeskSettings | { missing: string[] } {
  const { shape } = Environment;
  const url = shape.SUPPORT_DESK_URL.safeParse(env.SUPPORT_DESK_URL).data;
  const token = shape.SUPPORT_DESK_TOKEN.safeParse(env.SUPPORT_DESK_TOKEN).data;
  const queue = shape.SUPPORT_DESK_QUEUE.safeParse(env.SUPPORT_DESK_QUEUE).data;
  const field = env.SUPPORT_DESK_REFERENCE_FIELD;
  const referenceField = shape.SUPPORT_DESK_REFERENCE_FIELD.safeParse(field).data;
  const hosts = shape.ALLOW_HTTP_HOSTS.safeParse(env.ALLOW_HTTP_HOSTS).data;
  const missing = Object.entries({
    SUPPORT_DESK_URL: url,
    SUPPORT_DESK_TOKEN: token,
    SUPPORT_DESK_QUEUE: queue,
    SUPPORT_DESK_REFERENCE_FIELD: referenceField,
    ALLOW_HTTP_HOSTS: hosts,
  }).filter(([, value]) => value === undefined).map(([name]) => name);
  if (!url || !token || !queue || !referenceField || !hosts) return { missing };
  if (!isSafeInTransit(url, hosts)) return { missing: ["ALLOW_HTTP_HOSTS"] };
  return { baseUrl: normalizeBaseUrl(url), token, queue, referenceField };
}
