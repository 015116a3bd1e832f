/** Why a response is not one of RT's REST API. */
import { redirectTarget } from "../explanations.ts";
import type { Problem } from "../finding.ts";
import { speaksTls } from "../network.ts";
import { callDesk, type DeskResponse } from "./call.ts";
import { isUnauthorized } from "./responses.ts";
import type { DeskSettings } from "./settings.ts";

/** Explains a response to the first request that is neither RT's version nor RT's own 401. */
export async function explainResponse(
  response: DeskResponse,
  desk: DeskSettings,
): Promise<Problem> {
  const { status, headers } = response;
  const { baseUrl } = desk;
  const where = `SUPPORT_DESK_URL is ${baseUrl}`;
  if (status >= 300 && status < 400) {
    const location = redirectTarget(headers, baseUrl) ?? "another URL";
    return /login|sso|auth|saml|oauth/i.test(location)
      ? {
        cause: `Login page: the API redirects to ${location} (${status}; ${where})`,
        next: "Exempt /REST/2.0/ from the sign-on in front of RT, and check SUPPORT_DESK_TOKEN",
      }
      : {
        cause: `Redirect: the API redirects to ${location} (${status}; ${where})`,
        next: "Deskhand follows no redirects: set SUPPORT_DESK_URL to the final URL, without " +
          "/REST/2.0/",
      };
  }
  if (status === 400 && baseUrl.startsWith("http:") && await speaksTls(baseUrl)) {
    return {
      cause: `TLS: the port speaks TLS, and plain http was used (${where})`,
      next: "Change SUPPORT_DESK_URL to https",
    };
  }
  if (status === 401 || status === 407) {
    return {
      cause: `Login: a proxy in front of RT wants its own login (${status}, not RT's; ${where})`,
      next: "Exempt /REST/2.0/ from that login, for this machine at least",
    };
  }
  if (status === 429) {
    return {
      cause: `Rate limit: RT or a proxy in front of it rejects more requests (429; ${where})`,
      next: "Raise the limit there for this machine",
    };
  }
  if (status >= 500) {
    return {
      cause: `Error: RT or a proxy in front of it responded ${status} (${where})`,
      next: "Check that RT is running, and the logs of RT and of its web server",
    };
  }
  const other = await findBaseUrl(baseUrl);
  if (other !== null) {
    return {
      cause: `Base path: RT's REST API is at ${other} (${where})`,
      next: `Set SUPPORT_DESK_URL to ${other} and restart Deskhand`,
    };
  }
  if (status === 403) {
    return {
      cause: `Firewall: a web application firewall or a proxy responded 403, not RT (${where})`,
      next: "Exempt POST and GET below /REST/2.0/ from its rules, for this machine at least",
    };
  }
  const type = /^[\w.+/-]{1,60}/.exec(headers.get("Content-Type") ?? "")?.[0] ?? "no type";
  return type === "text/html" && status < 300
    ? {
      cause:
        `Login page or another site: the API's URL returns a page (${status}, ${type}; ${where})`,
      next: "Open SUPPORT_DESK_URL in a browser. If it is RT, exempt /REST/2.0/ from the sign-on " +
        "or the maintenance page in front of it",
    }
    : {
      cause: `Another service responds there: ${status}, ${type}, and not RT (${where})`,
      next:
        "Correct the address, port and base path in SUPPORT_DESK_URL. RT must be version 5 or 6",
    };
}

/** Looks for RT's REST API at the usual other base paths of the same host, without the token. */
async function findBaseUrl(baseUrl: string): Promise<string | null> {
  const { origin, pathname } = new URL(baseUrl);
  const withoutApi = pathname.replace(/\/REST(\/.*)?$/i, "");
  const segments = withoutApi.split("/").filter(Boolean).slice(0, 5);
  const parents = segments.map((_, index) => `/${segments.slice(0, index).join("/")}`).reverse();
  const candidates = [withoutApi, ...parents, "/rt", "/"];
  const paths = new Set(candidates.map((path) => path.replace(/\/$/, "")));
  for (const path of paths) {
    const candidate = origin + path;
    if (candidate === baseUrl) continue;
    const result = await callDesk({ baseUrl: candidate, token: null }, "rt");
    if (result.outcome === "no_response") return null;
    if (isUnauthorized(result.response)) return candidate;
  }
  return null;
}
