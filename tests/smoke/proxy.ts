/** Whether a call goes through a proxy, which then is what cannot be reached. */
import { isLoopback } from "../../config/http_hosts.ts";
import { connectErrorDetail, isProxyError } from "../../desk/network_errors.ts";
import type { Problem } from "./finding.ts";

/**
 * Returns the variable that names the proxy for `url`, or null if it is called directly. Deno reads
 * these names in both cases.
 */
export function proxyVariable(url: string): string | null {
  const { hostname, protocol } = new URL(url);
  const names = [protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY", "ALL_PROXY"];
  const name = names.flatMap((name) => [name, name.toLowerCase()])
    .find((name) => Deno.env.get(name));
  return name === undefined || isExcluded(hostname) ? null : name;
}

function isExcluded(hostname: string): boolean {
  const entries = (Deno.env.get("NO_PROXY") ?? "").split(",")
    .map((entry) => entry.trim().replace(/^\*?\./, "")).filter(Boolean);
  return isLoopback(hostname) || entries.includes("*") ||
    entries.some((entry) => hostname === entry || hostname.endsWith(`.${entry}`));
}

/** Explains why nothing could be sent to `url` through the proxy that `variable` names. */
export function explainProxyError(error: unknown, url: string, variable: string): Problem {
  const { host, hostname } = new URL(url);
  // The value may contain a password.
  const proxy = URL.parse(Deno.env.get(variable) ?? "")?.host ?? "invalid";
  const detail = connectErrorDetail(error) ?? "";
  const reason = isProxyError(detail)
    ? `it rejects connections to ${host}`
    : detail.includes("dns error")
    ? "its host name cannot be resolved"
    : detail === ""
    ? "no response came through it in time"
    : "it refused the connection";
  return {
    cause: `Proxy: ${url} is called through a proxy, and ${reason} (${variable} is ${proxy})`,
    next: `Check the proxy, correct ${variable}, or add ${hostname} to NO_PROXY`,
  };
}
