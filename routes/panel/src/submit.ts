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
  const { state } = session;
  if (state.sending || state.sendFailure?.retryIn) return;
  state.sendFailure = null;
  state.errors = validate(effectiveDraft(session, state));
  const invalid = () => FIELD_NAMES.filter((name) => state.errors[name]);
  if (!invalid().length) {
    state.sending = true;
    session.render();
    try {
      await send(session, state);
    } finally {
      state.sending = false;
    }
  }
  if (invalid().length) {
    // What the page had filled in can be corrected.
    state.draft = effectiveDraft(session, state);
    state.revealed.push(...invalid());
  }
  session.render();
  if (state === session.state) session.focus(...invalid(), state.sent ? "headline" : "send");
}

async function send(session: Session, state: ContextState): Promise<void> {
  await Promise.race([state.loading, delay(MAX_SUMMARY_DELAY_MS)]);
  const typed = state.draft;
  const draft = effectiveDraft(session, state);
  const submission = toSubmission(draft);
  const content = JSON.stringify(submission);
  const attempt = state.attempts.get(content) ?? await createAttempt(session, submission);
  state.attempts.set(content, attempt);
  const { value, failure } = await post(session, state, attempt);
  if (failure) {
    // An attempt that may be stored is repeated as it is.
    if (failure.kind === "rejected" && !attempt.mayBeStored) state.attempts.delete(content);
    const errors = errorsAt(failure.pointers);
    if (errors) state.errors = errors;
    else state.sendFailure = failure;
    return;
  }
  state.attempts.delete(content);
  state.summary = { ...state.summary ?? { desk: null, handoffModes: [] }, supportRequest: value! };
  Object.assign(state, {
    loading: null,
    loadFailure: null,
    check: null,
    revealed: [],
    sent: draft,
  });
  // What was typed in the meantime stays.
  if (state.draft === typed) state.draft = EMPTY_DRAFT;
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
async function post(session: Session, state: ContextState, attempt: Attempt) {
  for (let i = 0;; i++) {
    const result = await call(session, state, "submit", attempt);
    const { failure } = result;
    // A later failure does not undo what an earlier call may have stored.
    if (failure) failure.mayBeStored = attempt.mayBeStored ||= failure.mayBeStored;
    if (failure?.kind !== "conflict" || i >= MAX_CONFLICT_RETRIES) return result;
    await delay(Math.min((failure.retryIn || 1) * 1000, MAX_CONFLICT_DELAY_MS));
  }
}
