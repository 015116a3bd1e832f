/** Finds out why a server cannot be reached. */
import { isLoopback } from "../../config/http_hosts.ts";
import {
  connectErrorDetail,
  isBlockedPort,
  isCertificateStoreError,
  phaseBeforeSending,
} from "../../desk/network_errors.ts";
import type { Problem } from "./finding.ts";
import { explainProxyError, proxyVariable } from "./proxy.ts";

/** A server, and the setting that says where it is. */
export interface Endpoint {
  /** The name that operators know it by: "Deskhand" or "RT". */
  name: string;
  url: string;
  /** The setting that holds the URL, such as `SUPPORT_DESK_URL`. */
  setting: string;
}

const PROBE_TIMEOUT_MS = 2_000;

/** Returns which setting has which value: `SUPPORT_DESK_URL is https://desk.example`. */
export function describeSetting({ setting, url }: Pick<Endpoint, "setting" | "url">): string {
  return `${setting} ${setting.includes(" and ") ? "are" : "is"} ${url}`;
}

/** Explains why a `fetch` of `endpoint` failed. Never returns text of the server or the runtime. */
export async function explainNetworkError(
  error: unknown,
  endpoint: Endpoint,
  timeoutMs: number,
): Promise<Problem> {
  const { name, setting } = endpoint;
  const { hostname, protocol } = new URL(endpoint.url);
  const where = describeSetting(endpoint);
  const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
  const phase = phaseBeforeSending(error, endpoint.url);
  const proxy = proxyVariable(endpoint.url);
  if (proxy !== null && (isTimeout || phase === "dns" || phase === "connect")) {
    return explainProxyError(error, endpoint.url, proxy);
  }
  if (isTimeout) return await explainTimeout(endpoint, timeoutMs);
  switch (phase) {
    case "dns":
      return {
        cause: `DNS: the host name ${hostname} cannot be resolved (${where})`,
        next: `Check the spelling of the host name in ${setting}, and this machine's DNS`,
      };
    case "connect":
      return await explainConnect(error, endpoint);
    case "tls":
      return explainTls(error, endpoint);
    default:
      if (protocol === "http:" && await speaksTls(endpoint.url)) {
        return {
          cause: `TLS: the port speaks TLS, and plain http was used (${where})`,
          next: `Change ${setting} to https`,
        };
      }
      return {
        cause: `${name} closed the connection without a response (${where})`,
        next:
          `Check that ${name} is still running, the end of its log, and any proxy in front of it`,
      };
  }
}

async function explainTimeout(endpoint: Endpoint, timeoutMs: number): Promise<Problem> {
  const { name, url, setting } = endpoint;
  const { protocol } = new URL(url);
  const where = describeSetting(endpoint);
  const seconds = timeoutMs / 1000;
  if (await probeTcp(url) !== "open") {
    return {
      cause: `Firewall: no connection within ${seconds} s, and no rejection, so packets are ` +
        `dropped (${where})`,
      next:
        `Allow connections from this machine to ${hostAndPort(url)} in every firewall between, ` +
        `and check the address and port in ${setting}`,
    };
  }
  if (protocol === "https:" && await speaksPlainHttp(url)) {
    return {
      cause: `TLS: the port speaks plain http, and https was used (${where})`,
      next: `Use the TLS port in ${setting}, or change it to http`,
    };
  }
  return {
    cause: `Timeout: ${name} accepted the connection and sent no response within ${seconds} s ` +
      `(${where})`,
    next: `Check the load of ${name}, its database or disk, and its log`,
  };
}

async function explainConnect(error: unknown, endpoint: Endpoint): Promise<Problem> {
  const { name, url, setting } = endpoint;
  const where = describeSetting(endpoint);
  if (isBlockedPort(error)) {
    return {
      cause:
        `Port: Deno does not connect to port ${new URL(url).port}, which other protocols use ` +
        `(${where})`,
      next: `Use another port for ${name}, and change ${setting}`,
    };
  }
  if (await probeTcp(url) === "refused") {
    return {
      cause: `Port: ${hostAndPort(url)} refused the connection, so nothing listens there, or a ` +
        `firewall rejects it (${where})`,
      next: `Start ${name}, or correct the port in ${setting}${containerHint(url)}`,
    };
  }
  return {
    cause: `Network: there is no route to ${hostAndPort(url)} (${where})`,
    next: `Check the address in ${setting}, and the routes and firewalls between`,
  };
}

/** In a container, the address of a service on the same machine leads nowhere. */
function containerHint(url: string): string {
  const { hostname } = new URL(url);
  return isLoopback(hostname) ? `. In a container, ${hostname} is the container itself` : "";
}

const TRUST_CA = "set DENO_CERT to a file with the certificate of your own authority";

/** The certificate errors of rustls that have a remedy of their own. */
const CERTIFICATE_ERRORS: [pattern: RegExp, problem: string, next: string][] = [
  [/UnknownIssuer|SelfSigned/, "is signed by an unknown authority", TRUST_CA],
  [
    /CaUsedAsEndEntity/,
    "is marked as an authority",
    "issue one with basicConstraints CA:FALSE, as openssl req -x509 does with -addext " +
    "basicConstraints=critical,CA:FALSE",
  ],
  [/NotValidForName|not valid for name/, "is for another host name", "use a host name it names"],
  [/NotValidYet|not valid yet/, "is not valid yet", "check this machine's clock"],
  [/[Ee]xpired/, "has expired", "renew it there, or check this machine's clock"],
];

function explainTls(error: unknown, endpoint: Endpoint): Problem {
  const { name, url, setting } = endpoint;
  const where = describeSetting(endpoint);
  if (isCertificateStoreError(error)) {
    return {
      cause: "TLS: Deno cannot load the certificate authorities to trust",
      next: "Check the file that DENO_CERT names, and DENO_TLS_CA_STORE",
    };
  }
  const text = connectErrorDetail(error) ?? "";
  const known = CERTIFICATE_ERRORS.find(([pattern]) => pattern.test(text));
  if (known !== undefined) {
    const [, problem, next] = known;
    return {
      cause: `TLS: the certificate of ${hostAndPort(url)} ${problem} (${where})`,
      next: next[0]!.toUpperCase() + next.slice(1),
    };
  }
  if (/InvalidContentType/.test(text)) {
    return {
      cause: `TLS: the port speaks no TLS (${where})`,
      next: `Use the TLS port in ${setting}, or change it to http`,
    };
  }
  return {
    cause: `TLS: ${name} rejected the handshake (${where})`,
    next: `Check that it supports TLS 1.2 or 1.3, and its certificate: openssl s_client -connect ` +
      hostAndPort(url),
  };
}

/** Connects by TCP alone, which shows whether a firewall drops packets. */
async function probeTcp(url: string): Promise<"open" | "refused" | "dropped"> {
  const { hostname } = new URL(url);
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  try {
    const host = hostname.replace(/^\[|\]$/g, "");
    (await Deno.connect({ hostname: host, port: portOf(url), signal })).close();
    return "open";
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused ? "refused" : "dropped";
  }
}

/** Whether the port of an https URL responds to plain http. Sends no token. */
async function speaksPlainHttp(url: string): Promise<boolean> {
  const { host } = new URL(url);
  return await responds(`http://${/:\d+$/.test(host) ? host : `${host}:443`}/`);
}

/** Whether the port of an http URL speaks TLS, whatever its certificate. Sends no token. */
export async function speaksTls(url: string): Promise<boolean> {
  const { host } = new URL(url);
  return await responds(`https://${/:\d+$/.test(host) ? host : `${host}:80`}/`, /certificate/);
}

async function responds(url: string, errors?: RegExp): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const response = await fetch(url, { redirect: "manual", signal });
    await response.body?.cancel();
    return true;
  } catch (error) {
    return errors?.test(connectErrorDetail(error) ?? "") ?? false;
  }
}

function hostAndPort(url: string): string {
  return `${new URL(url).hostname}:${portOf(url)}`;
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return Number(port || (protocol === "https:" ? 443 : 80));
}
