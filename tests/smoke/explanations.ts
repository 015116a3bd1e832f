/** What is wrong if a Deskhand sends another response than the expected one. */
import { type CallResult, endpointOf, problemOf } from "./call.ts";
import type { Problem, Smoke } from "./finding.ts";
import { describeSetting, speaksTls } from "./network.ts";
import { explainRejectedToken, quote, tenantsOf } from "./token.ts";

const RUNNING = "Check that Deskhand is running behind the proxy, and the proxy's log";

/** Explains a result that is not what a check expects. */
export async function explainResult(
  result: CallResult,
  { target, settings }: Pick<Smoke, "target" | "settings">,
): Promise<Problem> {
  if (result.outcome === "no_response") return result.problem;
  const { status, headers } = result;
  const problem = problemOf(result);
  switch (problem) {
    case "unauthenticated":
      return explainRejectedToken(result, target, settings);
    case "insufficient-scope":
      return {
        cause: "The token lacks a scope (403)",
        next: "Have it issued with support_requests:create and support_requests:read",
      };
    case "not-found": {
      const claim = settings.auth.tenantsClaim;
      const tenants = tenantsOf(target.token, claim);
      return {
        cause: `The token does not cover the tenant ${target.tenantId}: its claim ` +
          `${quote(claim)} has ${tenants.length === 0 ? "none" : tenants.map(quote).join(", ")}`,
        next: "Use one of its tenants with --tenant, have it issued for this tenant, or correct " +
          "AUTH_TENANTS_CLAIM",
      };
    }
    case "rate-limited":
      return {
        cause: "This user has sent more submissions than RATE_LIMIT_PER_MINUTE allows (429)",
        next: `Try again in ${retryAfter(headers)}`,
      };
    case "store-unavailable":
      return {
        cause: "KV does not respond or does not accept writes (503)",
        next: "Check KV_PATH, its disk or its server, and the log for the events " +
          "store_open_failed and store_unavailable",
      };
    case "overloaded":
      return {
        cause: "Deskhand has too many submissions in progress (503)",
        next: `Try again in ${retryAfter(headers)}`,
      };
    case "keys-unavailable":
      return {
        cause: "Deskhand cannot load the keys at AUTH_JWKS_URL (503)",
        next: "Check AUTH_JWKS_URL, that Deskhand's machine can reach it, and the log for the " +
          "events key_set_unavailable and key_set_unusable",
      };
    case "idempotency-in-progress":
      return {
        cause: "The first submission with this key is still in progress (409)",
        next: "Check the desk and KV for slow responses",
      };
    case "internal":
      return {
        cause: "Deskhand has a bug (500)",
        next: "Report it with the log line whose event is unhandled_error",
      };
  }
  const { url, setting } = endpointOf(target);
  const where = describeSetting({ url, setting });
  if (status >= 200 && status < 300) {
    return {
      cause: `The response (${status}) is not that of Deskhand's API version 1 (${where})`,
      next:
        "Check that this smoke test and Deskhand are of the same release, and any proxy between",
    };
  }
  if (status >= 300 && status < 400) {
    const location = redirectTarget(headers, url);
    return {
      cause: `It redirects to ${location ?? "another URL"} (${status}; ${where})`,
      next: "If that is Deskhand's URL, use it with --url",
    };
  }
  if (status >= 502 && status <= 504) {
    return { cause: `A proxy responded ${status} instead of Deskhand (${where})`, next: RUNNING };
  }
  if (status === 400 && url.startsWith("http:") && await speaksTls(url)) {
    return {
      cause: `TLS: the port speaks TLS, and plain http was used (${where})`,
      next: `Change ${setting} to https`,
    };
  }
  return {
    cause: `Something else responds there: ${status}${problem ? ` (${problem})` : ""}, which ` +
      `Deskhand does not send here (${where})`,
    next: `Correct the address and port in ${setting}, and check any proxy in front of Deskhand`,
  };
}

/** Returns where a redirect leads, without its query, which may hold secrets; null if nowhere. */
export function redirectTarget(headers: Headers, base: string): string | null {
  const url = URL.parse(headers.get("Location") ?? "", base);
  return url === null ? null : (url.origin + url.pathname).slice(0, 200);
}

function retryAfter(headers: Headers): string {
  const seconds = headers.get("Retry-After") ?? "";
  return /^\d{1,4}$/.test(seconds) ? `${seconds} s` : "a minute";
}
