/** Whether a Deskhand is there, and lets in whom it should and nobody else. */
import { z } from "zod";
import { type Answer, problemOf, requestsOf, statusOf } from "./call.ts";
import { explainAnswer } from "./explanations.ts";
import { failed, type Finding, ok, type Smoke } from "./finding.ts";

const Live = z.object({ status: z.literal("live") });

export async function isLive({ ask, target }: Smoke): Promise<Finding> {
  const answer = await ask("/livez", { token: null });
  if (statusOf(answer) !== 200) return failed(explainAnswer(answer, target));
  return answer.outcome === "answered" && Live.safeParse(answer.json).success ? ok() : failed(
    "Something answers there, and it is not a Deskhand. Check the address and the port in --url",
  );
}

export async function isReady({ ask, target }: Smoke): Promise<Finding> {
  const answer = await ask("/readyz", { token: null });
  return statusOf(answer) === 200 ? ok() : failed(explainAnswer(answer, target));
}

export async function refusesNoToken({ ask, target }: Smoke): Promise<Finding> {
  return refusal(await ask(`${requestsOf(target)}/latest`, { token: null }));
}

/** Whoever believes what a token says before it is verified would let this one in. */
export async function refusesUnsigned({ ask, target }: Smoke): Promise<Finding> {
  const token = unsigned({
    sub: "smoke",
    exp: Math.floor(Date.now() / 1000) + 60,
    tenants: [target.tenantId],
    scope: "support_requests:create support_requests:read",
  });
  return refusal(await ask(`${requestsOf(target)}/latest`, { token }));
}

function unsigned(payload: unknown): string {
  const part = (json: unknown) => btoa(JSON.stringify(json)).replace(/=+$/, "");
  return `${part({ alg: "none", typ: "JWT" })}.${part(payload)}.`;
}

function refusal(answer: Answer): Finding {
  if (answer.outcome === "unanswered") return failed(answer.note);
  if (answer.status !== 401) {
    return failed(
      `It answered ${answer.status} instead of 401. Check that what stands before Deskhand hands ` +
        "on tokens as they are, and adds none",
    );
  }
  return /^Bearer\b/i.test(answer.headers.get("WWW-Authenticate") ?? "") ? ok() : failed(
    "The refusal lacks the header 'WWW-Authenticate: Bearer'. Look at what stands before Deskhand",
  );
}

/** A token without the scope is accepted all the same. */
export async function acceptsToken({ ask, target }: Smoke): Promise<Finding> {
  const answer = await ask(`${requestsOf(target)}/latest`);
  return statusOf(answer) === 200 || isForbidden(answer)
    ? ok()
    : failed(explainAnswer(answer, target));
}

export async function refusesOtherTenant({ ask, target: { runId } }: Smoke): Promise<Finding> {
  const answer = await ask(`/v1/tenants/${runId}/support-requests/latest`);
  if (answer.outcome === "unanswered") return failed(answer.note);
  return answer.status === 404 ? ok() : failed(
    `It answered ${answer.status} instead of 404 for the tenant ${runId}, which nobody has. Check ` +
      "that --url is a Deskhand's address",
  );
}

export async function hasScopes({ ask, target }: Smoke): Promise<Finding> {
  const path = requestsOf(target);
  const read = await ask(`${path}/latest`);
  // Without a body nothing is stored: whoever may submit is only told that it is not JSON.
  const create = await ask(path, { method: "POST" });
  const missing = [
    ...isForbidden(create) ? ["support_requests:create"] : [],
    ...isForbidden(read) ? ["support_requests:read"] : [],
  ];
  if (missing.length > 0) {
    return failed(
      `The token may not do this (403): it lacks ${missing.join(" and ")}. Have it issued with ` +
        "that in its scope",
    );
  }
  if (statusOf(read) !== 200) return failed(explainAnswer(read, target));
  return statusOf(create) === 415 ? ok() : failed(explainAnswer(create, target));
}

function isForbidden(answer: Answer): boolean {
  return answer.outcome === "answered" && problemOf(answer.json) === "insufficient-scope";
}
