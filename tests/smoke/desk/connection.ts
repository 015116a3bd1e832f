/** Checks that the URL leads to RT's REST API. */
import { explainResponse } from "./explain_response.ts";
import { callDesk } from "./call.ts";
import { clockSkew, describeSkew } from "../clock.ts";
import { failed, type Finding, ok, type Smoke } from "../finding.ts";
import { isUnauthorized, isVersion, version } from "./responses.ts";
import { SETUP_SCRIPT } from "./settings.ts";

/** A lookup misses tickets if RT's clock is further behind: it searches from two days before. */
const MAX_CLOCK_SKEW_SECONDS = 24 * 60 * 60;

/** The first request of all: any response means that RT can be reached. */
export async function reachesDesk(smoke: Smoke): Promise<Finding> {
  const result = await callDesk(smoke.desk!, "rt");
  if (result.outcome === "no_response") return failed(result.problem);
  smoke.deskResponse = result.response;
  return ok(smoke.desk!.baseUrl);
}

/** RT's own responses are JSON: its version, or 401 for a token that it does not know. */
export async function findsApi({ desk, deskResponse }: Smoke): Promise<Finding> {
  const { status } = deskResponse!;
  if (status === 200 && isVersion(deskResponse!)) return ok(`RT ${version(deskResponse!)}`);
  if (isUnauthorized(deskResponse!)) return ok();
  return failed(await explainResponse(deskResponse!, desk!));
}

export function acceptsDeskToken({ deskResponse }: Smoke): Finding {
  return deskResponse!.status === 200 ? ok() : failed(
    `Token: RT does not know the token in SUPPORT_DESK_TOKEN, or its user is disabled ` +
      `(${deskResponse!.status})`,
    `Create a new auth token for Deskhand's user at RT (${SETUP_SCRIPT} --new-token), set ` +
      "SUPPORT_DESK_TOKEN and restart Deskhand",
  );
}

export function checkDeskClock({ deskResponse }: Smoke): Finding {
  const { headers, sentAt, receivedAt } = deskResponse!;
  const seconds = clockSkew(headers, sentAt, receivedAt);
  if (seconds === null) return ok("no header Date");
  if (Math.abs(seconds) < MAX_CLOCK_SKEW_SECONDS) {
    return ok(seconds === 0 ? undefined : `${describeSkew(seconds)} this machine's`);
  }
  return failed(
    `Clock: RT's clock is ${
      describeSkew(seconds)
    } this machine's, so that lookups can miss tickets`,
    "Set the clocks of both machines by NTP",
  );
}
