import { call } from "./call.ts";
import { collectDiagnostics } from "./diagnostics.ts";
import { dispatch } from "./events.ts";
import type { Session } from "./session.ts";
import { effectiveDraft, wordsOf } from "./settings.ts";
import type { Attempt, ContextState } from "./state.ts";
import {
  EMPTY_DRAFT,
  errorsAt,
  FIELD_NAMES,
  type Submission,
  toBody,
  toSubmission,
  validate,
} from "./submission.ts";
import { delay } from "./within.ts";

/** How often, and after how long at most, a submission that is still in progress is sent again. */
const MAX_CONFLICT_RETRIES = 6;
const MAX_CONFLICT_DELAY_MS = 3_000;

/** How long a submission waits for the context's summary, which says what is offered. */
const MAX_SUMMARY_DELAY_MS = 3_000;

/** Sends the draft, unless it has to be corrected, and shows what became of it. */
export async function submit(session: Session): Promise<void> {
  const own = session.state;
  if (own.sending || own.sendFailure?.retryIn) return;
  own.sendFailure = null;
  own.errors = validate(effectiveDraft(session, own));
  const invalid = () => FIELD_NAMES.filter((name) => own.errors[name]);
  if (!invalid().length) {
    own.sending = true;
    session.render();
    try {
      await send(session, own);
    } finally {
      own.sending = false;
    }
  }
  if (invalid().length) {
    // What the page had filled in can be corrected.
    own.draft = effectiveDraft(session, own);
    own.revealed.push(...invalid());
  }
  session.render();
  if (own === session.state) session.focus(...invalid(), own.sent ? "headline" : "send");
}

async function send(session: Session, own: ContextState): Promise<void> {
  await Promise.race([own.loading, delay(MAX_SUMMARY_DELAY_MS)]);
  const typed = own.draft;
  const draft = effectiveDraft(session, own);
  const submission = toSubmission(draft);
  const content = JSON.stringify(submission);
  const attempt = own.attempts.get(content) ?? await createAttempt(session, submission);
  own.attempts.set(content, attempt);
  const { value, failure } = await post(session, own, attempt);
  if (failure) {
    // An attempt that may be stored is repeated as it is.
    if (failure.kind === "rejected" && !attempt.maybe) own.attempts.delete(content);
    const errors = errorsAt(failure.pointers);
    if (errors) own.errors = errors;
    else own.sendFailure = failure;
    return;
  }
  own.attempts.delete(content);
  own.summary = { ...own.summary ?? { desk: null, handoffModes: [] }, supportRequest: value! };
  Object.assign(own, { loading: null, loadFailure: null, check: null, revealed: [], sent: draft });
  // What was typed in the meantime stays.
  if (own.draft === typed) own.draft = EMPTY_DRAFT;
  dispatch(session.element, "support-request-submitted", value);
}

async function createAttempt(
  { element, settings }: Session,
  submission: Submission,
): Promise<Attempt> {
  const diagnostics = await collectDiagnostics(settings.diagnostics, wordsOf(element, "collect"));
  // `crypto.randomUUID` needs a secure context.
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
  return {
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: toBody(submission, diagnostics),
  };
}

/** Sends an attempt, and again while an earlier call with its key is in progress. */
async function post(session: Session, own: ContextState, attempt: Attempt) {
  for (let i = 0;; i++) {
    const result = await call(session, own, "submit", attempt);
    const { failure } = result;
    // What an earlier call may have stored, a later failure does not undo.
    if (failure) failure.maybe = attempt.maybe ||= failure.maybe;
    if (failure?.kind !== "conflict" || i >= MAX_CONFLICT_RETRIES) return result;
    await delay(Math.min((failure.retryIn || 1) * 1000, MAX_CONFLICT_DELAY_MS));
  }
}
