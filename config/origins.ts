import { isLoopback } from "./http_hosts.ts";
import { text } from "./variable.ts";

/**
 * Matches the origin of an app in a web view, which has its own scheme, such as
 * `capacitor://localhost`. `URL` treats such an origin as opaque, but web views send it unchanged.
 */
const APP_ORIGIN = /^(?:capacitor|ionic|tauri|app):\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;

const ORIGIN_RULE =
  "must be origins separated by commas, such as https://app.example,https://admin.example:8443: " +
  "lower case, without path, trailing slash or default port";

/** Parses `CORS_ORIGINS`, the list of origins whose pages may call the service. */
export const Origins = text().pipe((list) => {
  const origins = list.split(",").map((origin) => origin.trim()).filter(Boolean);
  const rule = origins.map(originProblem).find((rule) => rule !== null);
  if (rule === undefined) return { success: true, data: origins };
  return { success: false, rules: [rule] };
});

/** Returns the rule that an origin breaks, without quoting the origin, or null. */
function originProblem(origin: string): string | null {
  if (origin.includes("*")) {
    return "must list every origin in full: '*' would let any page call the service";
  }
  if (origin.toLowerCase() === "null") {
    return "must not contain 'null', which is the origin of every sandboxed page and local file";
  }
  if (APP_ORIGIN.test(origin)) return null;
  const url = URL.parse(origin);
  if (url === null || url.origin !== origin || !/^https?:$/.test(url.protocol)) return ORIGIN_RULE;
  if (url.protocol === "https:" || isLoopbackPage(url.hostname)) return null;
  return "must use https (http is allowed only for localhost), because anyone who can change a page " +
    "in transit can call the service as its user";
}

/** Browsers resolve every name below `.localhost` to the loopback interface (RFC 6761, 6.3). */
function isLoopbackPage(hostname: string): boolean {
  return isLoopback(hostname) || hostname.endsWith(".localhost");
}
