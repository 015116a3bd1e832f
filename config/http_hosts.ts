import { text } from "./variable.ts";

/** Loopback hosts. `URL` has already normalized other spellings, such as `0x7f.1`. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const HOSTNAME = /^(\[[0-9a-f:]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)$/;

const HOSTS_RULE =
  "must be host names separated by commas, such as desk.internal,10.0.0.7: without scheme, port, " +
  "path, '*' or a final period";

/** Whether a host name, as `URL` normalizes it, names the loopback interface. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/**
 * Parses `ALLOW_HTTP_HOSTS` into host names as `URL` normalizes them: lower case, Punycode, IPv6
 * addresses in brackets. Each name matches itself only, never its subdomains.
 */
export const HttpHosts = text().pipe((list) => {
  const names = list.split(",").map((name) => name.trim()).filter(Boolean);
  const hosts = names.map(toHostname);
  if (hosts.every((host) => host !== null)) return { success: true, data: hosts };
  return { success: false, rules: [HOSTS_RULE] };
});

function toHostname(name: string): string | null {
  // Characters that `URL` parses as a path, a query or user information, or decodes.
  if (/[\s/\\?#@*%]|\.$/.test(name)) return null;
  const isAddress = /^\[.*\]$/.test(name);
  if (!isAddress && name.includes(":")) return null;
  const url = URL.parse(`http://${name}/`);
  return url !== null && HOSTNAME.test(url.hostname) ? url.hostname : null;
}

/** Whether a URL is http or https, without user information and fragment. */
export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) &&
    url.username === "" && url.password === "" && url.hash === "";
}

/**
 * Whether the traffic to a URL is safe in transit: https, or plain http to the loopback interface
 * or to one of `hosts`. The host must match exactly, so that neither `desk.internal.evil.example`
 * nor a subdomain is accepted for `desk.internal`.
 */
export function isSafeInTransit(text: string, hosts: readonly string[]): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  return url.protocol === "https:" || isLoopback(url.hostname) || hosts.includes(url.hostname);
}

/** Whether the environment sets a proxy for plain http. Deno reads the names in either case. */
export function hasHttpProxy(env: Record<string, string>): boolean {
  return Object.keys(env).some((name) => /^(http|all)_proxy$/i.test(name));
}

/**
 * Returns a value of `NO_PROXY` that excludes the loopback interface and `hosts` from the proxy in
 * `HTTP_PROXY` or `ALL_PROXY`, in addition to what the environment already excludes: over plain
 * http a proxy reads tokens and text, and can respond in place of the desk, the token issuer or the
 * KV server. Deno reads the variable on the first connection, for `fetch` and for KV Connect,
 * prefers the upper-case name, and expects IPv6 addresses without brackets.
 */
export function noProxyFor(
  hosts: readonly string[],
  env: { NO_PROXY?: string; no_proxy?: string },
): string {
  const excluded = env.NO_PROXY ?? env.no_proxy ?? "";
  const direct = [
    "localhost",
    "127.0.0.0/8",
    "::1",
    ...hosts.map((host) => host.replace(/^\[|\]$/g, "")),
  ];
  return [...excluded.split(",").map((entry) => entry.trim()).filter(Boolean), ...direct].join(",");
}
