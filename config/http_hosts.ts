import { z } from "zod";

/** Names of this machine. `URL` has already normalised other spellings, such as `0x7f.1`. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const HOSTNAME = /^(\[[0-9a-f:]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)$/;

const HOSTS_RULE =
  "must be host names separated by commas, such as desk.internal,10.0.0.7: without scheme, port, " +
  "path, '*' or a final period";

/** Whether a host name, as `URL` writes it, names the loopback interface. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/**
 * Parses `ALLOW_HTTP_HOSTS` into host names as `URL` writes them: lower case, Punycode, IPv6
 * addresses in brackets. Each name stands for itself alone, and never for its subdomains.
 */
export const HttpHosts = z.string().transform((text, context) => {
  const names = text.split(",").map((name) => name.trim()).filter(Boolean);
  const hosts = names.map(toHostname);
  if (hosts.every((host) => host !== null)) return hosts;
  context.addIssue(HOSTS_RULE);
  return z.NEVER;
});

function toHostname(name: string): string | null {
  // What `URL` would read as a port, a path or user information, or decode.
  if (/[\s/\\?#@*%]|\.$/.test(name)) return null;
  const isAddress = /^\[.*\]$/.test(name);
  if (!isAddress && name.includes(":")) return null;
  const url = URL.parse(`http://${name}/`);
  return url !== null && HOSTNAME.test(url.hostname) ? url.hostname : null;
}

/** Whether a URL is one that can be fetched: http or https, without user information and fragment. */
export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) &&
    url.username === "" && url.password === "" && url.hash === "";
}

/**
 * Whether the traffic to a URL is safe in transit: https, or plain http to the loopback interface
 * or to one of `hosts`. The host must match exactly, so that neither `desk.internal.evil.example`
 * nor a subdomain passes for `desk.internal`.
 */
export function isSafeInTransit(text: string, hosts: readonly string[]): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  return url.protocol === "https:" || isLoopback(url.hostname) || hosts.includes(url.hostname);
}

/** Whether the environment names a proxy for plain http. Deno reads these names in both cases. */
export function hasHttpProxy(env: Record<string, string>): boolean {
  return Object.keys(env).some((name) => /^(http|all)_proxy$/i.test(name));
}

/**
 * Returns the value of `NO_PROXY` with which no request to the loopback interface or to `hosts`
 * goes through a proxy that `HTTP_PROXY` or `ALL_PROXY` names: a proxy would read tokens and text,
 * and could respond in place of the desk, the token issuer or the KV server. What the
 * environment excludes already stays excluded. Deno reads the variable when it first connects, for
 * `fetch` and for KV Connect, takes the upper-case name first, and wants IPv6 without brackets.
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
