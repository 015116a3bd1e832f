import { z } from "zod";
import { isLoopback } from "./http_hosts.ts";

/**
 * Apps in a web view load their page from an origin of their own scheme, for example
 * `capacitor://localhost`. For `URL` such an origin is opaque, but web views send it as it stands.
 */
const APP_ORIGIN = /^(?:capacitor|ionic|tauri|app):\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;

const ORIGIN_RULE =
  "must be origins separated by commas, such as https://app.example,https://admin.example:8443: " +
  "lower case, without path, final slash or default port";

/** Parses `CORS_ORIGINS`, a list of the origins whose pages may call the service. */
export const Origins = z.string().transform((text, context) => {
  const origins = text.split(",").map((origin) => origin.trim()).filter(Boolean);
  const wrong = origins.map(originProblem).find((problem) => problem !== null);
  if (wrong === undefined) return origins;
  context.addIssue(wrong);
  return z.NEVER;
});

/** What is wrong with an origin, without quoting it, or null. */
function originProblem(origin: string): string | null {
  if (origin.includes("*")) {
    return "must name every origin in full: '*' would let any page call the service";
  }
  if (origin.toLowerCase() === "null") {
    return "must not contain 'null', which is the origin of any sandboxed page or local file";
  }
  if (APP_ORIGIN.test(origin)) return null;
  const url = URL.parse(origin);
  if (url === null || url.origin !== origin || !/^https?:$/.test(url.protocol)) return ORIGIN_RULE;
  if (url.protocol === "https:" || isLoopbackPage(url.hostname)) return null;
  return "must use https (http is allowed only for localhost), because anyone who can change a page " +
    "in transit can act for its user";
}

/** Browsers resolve every name below `.localhost` to the loopback interface (RFC 6761, 6.3). */
function isLoopbackPage(hostname: string): boolean {
  return isLoopback(hostname) || hostname.endsWith(".localhost");
}
