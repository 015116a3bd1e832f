/// <reference lib="dom" />
import { type Call, type CallResult, callService, type Failure } from "./api_client.ts";
import { complain } from "./complain.ts";
import { addressOf } from "./context.ts";
import { collectDiagnostics } from "./diagnostics.ts";
import { parseContextSummary, parseSupportRequest } from "./parse.ts";
import { effectiveDraft, type Settings, wordsOf } from "./settings.ts";
import { type ContextState, createState } from "./state.ts";
import {
  type Draft,
  EMPTY_DRAFT,
  errorsAt,
  FIELD_NAMES,
  toBody,
  toSubmission,
  validate,
} from "./submission.ts";
import type { GetToken, SupportRequestEventMap, SupportRequestFailure } from "./types.ts";
import { delay } from "./within.ts";

/** How often, and after how long at most, a submission that is still in progress is sent again. */
const MAX_CONFLICT_RETRIES = 6;
const MAX_CONFLICT_DELAY_MS = 3_000;

/** How long a submission waits for the context's summary, which says what is offered. */
const MAX_SUMMARY_DELAY_MS = 3_000;

/** What shows the session. */
export interface SessionView {
  render(): void;
  /** Moves the focus to the first of these parts that can have it. */
  focus(...ids: string[]): void;
}

/** The conversation with the service: what is known in each context, and what changes it. */
export interface Session {
  /** Of the element's context. */
  readonly state: ContextState;
  /** What would be sent. */
  readonly draft: Draft;
  /** Follows the element's attributes to the state of their context. Returns whether it is another. */
  enterContext(): boolean;
  /** Loads the latest request. Shows the form again, unless the result itself is refreshed. */
  load(isRefresh?: boolean): Promise<void>;
  submit(): Promise<void>;
  /** Has the service finish the interrupted handoff of the request that is shown. */
  resume(): Promise<void>;
  /** Opens the form for another request, or for the shown one again if its handoff failed. */
  write(mode?: "create" | "link"): void;
}

export type Dispatch = <K extends keyof SupportRequestEventMap>(
  name: K,
  detail?: SupportRequestEventMap[K]["detail"],
) => void;

export function createSession(
  element: Element,
  settings: Settings,
  view: SessionView,
  dispatch: Dispatch,
): Session {
  const states = new Map<string, ContextState>();
  let state: ContextState;

  function enterContext(): boolean {
    const before = state;
    const { url, invalidAttribute } = addressOf(element);
    state = states.get(url) ?? createState(url, invalidAttribute);
    states.set(url, state);
    return state !== before;
  }

  async function load(isRefresh = false): Promise<void> {
    const own = state;
    const loadId = ++own.loadId;
    Object.assign(own, { loadFailure: null, check: null });
    if (!isRefresh) Object.assign(own, { submittedDraft: null, isLatestOpen: false });
    const parse = parseContextSummary;
    const pendingLoad = own.pendingLoad = call(own, "load", {
      url: "/latest",
      expected: 200,
      parse,
    });
    view.render();
    const { value, failure } = await pendingLoad;
    if (loadId !== own.loadId) return;
    // Somebody else's newer request is not the result of this one.
    if (value && reference(own) !== value.supportRequest?.reference) own.submittedDraft = null;
    if (value) own.summary = value;
    own.pendingLoad = null;
    own.loadFailure = failure;
    view.render();
  }

  async function submit(): Promise<void> {
    const own = state;
    if (own.isSubmitting || own.submitFailure?.retryIn) return;
    own.submitFailure = null;
    own.errors = validate(draftOf(own));
    const invalid = () => FIELD_NAMES.filter((name) => own.errors[name]);
    if (invalid().length === 0) {
      own.isSubmitting = true;
      view.render();
      try {
        await send(own);
      } finally {
        own.isSubmitting = false;
      }
    }
    // What the page had filled in can be corrected.
    const draft = draftOf(own);
    for (const name of invalid()) {
      own.draft = { ...own.draft, [name]: draft[name] };
      own.revealed.push(name);
    }
    view.render();
    if (own === state) view.focus(...invalid(), own.submittedDraft ? "headline" : "send");
  }

  async function send(own: ContextState): Promise<void> {
    await Promise.race([own.pendingLoad, delay(MAX_SUMMARY_DELAY_MS)]);
    const typed = own.draft;
    const draft = draftOf(own);
    const submission = toSubmission(draft);
    const content = JSON.stringify(submission);
    let attempt = own.attempts.get(content);
    if (!attempt) {
      const diagnostics = await collectDiagnostics(
        settings.diagnostics,
        wordsOf(element, "collect"),
      );
      // `crypto.randomUUID` needs a secure context.
      const idempotencyKey = crypto.getRandomValues(new Uint32Array(4)).join("-");
      attempt = { idempotencyKey, body: toBody(submission, diagnostics) };
      own.attempts.set(content, attempt);
    }
    const post = () =>
      call(own, "submit", { ...attempt, url: "", expected: 201, parse: parseSupportRequest });
    let { value, failure } = await post();
    for (let i = 0; failure?.kind === "conflict" && i < MAX_CONFLICT_RETRIES; i++) {
      await delay(Math.min(failure.retryIn! * 1000, MAX_CONFLICT_DELAY_MS));
      ({ value, failure } = await post());
    }
    // An attempt that failed otherwise may be stored, and is repeated as it is.
    if (!failure || failure.kind === "rejected") own.attempts.delete(content);
    if (failure) {
      const errors = errorsAt(failure.pointers);
      if (errors) own.errors = errors;
      else own.submitFailure = failure;
      return;
    }
    own.loadId++;
    const { desk = null, handoffModes = [] } = own.summary ?? {};
    own.summary = { desk, handoffModes, supportRequest: value! };
    Object.assign(own, {
      ...{ pendingLoad: null, loadFailure: null, check: null, revealed: [] },
      submittedDraft: draft,
    });
    // What was typed in the meantime stays.
    if (own.draft === typed) own.draft = EMPTY_DRAFT;
    dispatch("support-request-submitted", value);
  }

  async function resume(): Promise<void> {
    const own = state;
    const shown = reference(own);
    if (own.check?.isRunning || own.check?.failure?.retryIn) return;
    const check: ContextState["check"] = own.check = { isRunning: true };
    view.render();
    const parse = parseSupportRequest;
    const result = await call(own, "resume", { url: "/latest/resume", expected: 200, parse });
    const { value, failure } = result;
    // A newer response has replaced what was checked.
    if (own.check !== check || reference(own) !== shown) return;
    own.check = { failure, isUnclear: value?.reference === shown };
    if (value) own.summary = { ...own.summary!, supportRequest: value };
    view.render();
  }

  function write(mode?: "create" | "link"): void {
    const { submittedDraft, summary } = state;
    if (mode && !state.draft.summary) {
      const { summary: line, severity } = summary!.supportRequest!;
      state.draft = submittedDraft ?? { ...EMPTY_DRAFT, summary: line, severity };
    }
    if (mode) state.draft = { ...state.draft, mode };
    Object.assign(state, { submittedDraft: null, isLatestOpen: false });
    view.render();
    view.focus(mode === "link" ? "ticket" : "summary");
  }

  async function call<T>(
    own: ContextState,
    during: SupportRequestFailure["during"],
    options: Omit<Call<T>, "getToken" | "method">,
  ): Promise<CallResult<T>> {
    // The page may be setting one property after the other.
    await delay(0);
    const { getToken } = settings;
    const invalid = own.invalidAttribute ?? (typeof getToken === "function" ? null : "getToken");
    if (invalid) complain(`${invalid} is missing or invalid`);
    const result: CallResult<T> = invalid
      ? { failure: { kind: "setup", pointers: [] } }
      : await callService({
        ...options,
        url: own.url + options.url,
        method: during === "load" ? "GET" : "POST",
        getToken: getToken as GetToken,
      });
    const { failure } = result;
    if (failure) {
      const { kind, status, requestId } = failure;
      dispatch("support-request-error", { kind, during, status, requestId });
      if (failure.retryIn) countDown(failure);
    }
    return result;
  }

  function countDown(failure: Failure): void {
    const timer = setInterval(() => {
      if (!--failure.retryIn!) clearInterval(timer);
      view.render();
    }, 1000);
  }

  const draftOf = (own: ContextState) => effectiveDraft(element, settings, own);

  enterContext();
  return {
    get state() {
      return state;
    },
    get draft() {
      return draftOf(state);
    },
    enterContext,
    load,
    submit,
    resume,
    write,
  };
}

function reference({ summary }: ContextState): string | undefined {
  return summary?.supportRequest?.reference;
}
