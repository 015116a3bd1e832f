/** Whether support requests are kept, once, in their own context, and handed to the desk. */
import { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import { bodyOf, problemOf, requestsOf } from "./call.ts";
import { explainAnswer, explainHandoff, explainReason } from "./explanations.ts";
import { failed, type Finding, ok, type Smoke } from "./finding.ts";
import { findByField } from "./reference_field.ts";

const SUBMISSION = {
  summary: "Smoke test of Deskhand, please ignore",
  description: "An operator made this to see whether Deskhand works. Nothing is wrong.",
  severity: "low",
};

export async function isEmpty(smoke: Smoke): Promise<Finding> {
  const answer = await smoke.ask(`${requestsOf(smoke.target)}/latest`);
  const summary = bodyOf(answer, 200, ContextSummary);
  if (summary === null) return failed(explainAnswer(answer, smoke.target));
  smoke.summary = summary;
  return summary.supportRequest === null ? ok() : failed(
    "A run that was never used has a request: contexts are mixed up. Report this as a bug",
  );
}

export async function keeps(smoke: Smoke): Promise<Finding> {
  const { ask, target } = smoke;
  const idempotencyKey = target.runId;
  const answer = await ask(requestsOf(target), { json: SUBMISSION, idempotencyKey });
  const request = bodyOf(answer, 201, SupportRequest);
  if (request === null) return failed(explainAnswer(answer, target));
  const { context, summary } = request;
  const isSame = context.kind === "run" && context.tenantId === target.tenantId &&
    context.runId === target.runId && summary === SUBMISSION.summary;
  if (!isSame) return failed("The answer is not the request that was sent. Report this as a bug");
  smoke.kept = request;
  return ok(request.reference);
}

export async function replays({ ask, target, kept }: Smoke): Promise<Finding> {
  const idempotencyKey = target.runId;
  const answer = await ask(requestsOf(target), { json: SUBMISSION, idempotencyKey });
  const request = bodyOf(answer, 201, SupportRequest);
  if (request === null || answer.outcome === "unanswered") {
    return failed(explainAnswer(answer, target));
  }
  if (request.reference !== kept?.reference) {
    return failed(
      `The same key and body were kept twice, as ${kept?.reference} and ${request.reference}. ` +
        "Check that what stands before Deskhand hands on the header Idempotency-Key",
    );
  }
  return answer.headers.get("Idempotent-Replayed") === "true" ? ok() : failed(
    "The answer lacks the header Idempotent-Replayed. Look at what stands before Deskhand",
  );
}

export async function refusesKeyReuse({ ask, target }: Smoke): Promise<Finding> {
  const answer = await ask(requestsOf(target), {
    json: { ...SUBMISSION, severity: "normal" },
    idempotencyKey: target.runId,
  });
  const isRefused = answer.outcome === "answered" && answer.status === 422 &&
    problemOf(answer.json) === "idempotency-key-reused";
  return isRefused ? ok() : failed(explainAnswer(answer, target));
}

export async function showsLatest({ ask, target, kept }: Smoke): Promise<Finding> {
  const answer = await ask(`${requestsOf(target)}/latest`);
  const summary = bodyOf(answer, 200, ContextSummary);
  if (summary === null) return failed(explainAnswer(answer, target));
  return summary.supportRequest?.reference === kept?.reference ? ok() : failed(
    `It shows ${
      summary.supportRequest?.reference ?? "none"
    } instead of ${kept?.reference}. Check ` +
      "that nothing before Deskhand caches answers",
  );
}

export function hasDesk({ summary }: Smoke): Finding {
  return summary?.handoffModes.includes("create")
    ? ok()
    : failed(explainReason("desk_not_configured"));
}

export async function makesTicket(smoke: Smoke): Promise<Finding> {
  const { ask, target } = smoke;
  const answer = await ask(requestsOf(target), {
    json: { ...SUBMISSION, handoff: { mode: "create" } },
    idempotencyKey: `${target.runId}-ticket`,
  });
  const request = bodyOf(answer, 201, SupportRequest);
  if (request === null) return failed(explainAnswer(answer, target));
  const { reference, handoff } = request;
  if (handoff.status !== "created") return failed(explainHandoff(handoff, reference));
  smoke.handedOff = { reference, ticket: handoff.ticket };
  return ok(`${reference}, ${new URL(handoff.ticket.url).href} (resolve it)`);
}

export async function leavesReference({ handedOff, env }: Smoke): Promise<Finding> {
  if (handedOff === undefined) throw new Error("no ticket was made");
  return await findByField(handedOff.reference, handedOff.ticket, env);
}
