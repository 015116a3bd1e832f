// deno-lint-ignore-file
// @ts-nocheck: rewritten into typed modules next.
import css from "./styles.css" with { type: "text" };
import { scriptUrl } from "./script_url.ts";
import { EN } from "./texts/en.ts";

/** Each field's place in a submission, its first value and its most characters. */
const FIELDS = {
  summary: ["#/summary", "", 200],
  description: ["#/description", "", 8000],
  severity: ["#/severity", "normal"],
  name: ["#/contact/name", "", 120],
  email: ["#/contact/email", "", 254],
  mode: ["#/handoff/mode", "create"],
  ticket: ["#/handoff/ticket", "", 2000],
};
const NAMES = Object.keys(FIELDS);
const BLANK = Object.fromEntries(NAMES.map((name) => [name, FIELDS[name][1]]));

/** A run `..` would be its tenant's own address. */
const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const RUN_ID = /^[A-Za-z0-9_][A-Za-z0-9._:+@~=-]{0,249}$/;

/** For one call, its token included. */
const CALL_MS = 20_000;

/** How often, and at the latest after how long, a submission in progress is sent again. */
const RETRIES = 6;
const RETRY_MS = 3_000;

function h(selector, ...children) {
  const [tag, id] = selector.split("#");
  const element = document.createElement(tag);
  if (id) element.id = id;
  const attributes = children[0]?.constructor === Object ? children.shift() : {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value instanceof Function) element.addEventListener(key, value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** As short as the service makes it, which does the rest. */
const cleaned = (text) =>
  text.replace(/[^\P{Cc}\s]\[(?:[\d:;?]+[A-Za-z]|[mK])/gu, "").trimEnd() || undefined;

const capital = (text) => text[0].toUpperCase() + text.slice(1);

export class Panel extends HTMLElement {
  static observedAttributes = ["open", "service", "tenant", "run"];

  /** What was set before this script arrived. */
  getToken = this.getToken;
  texts = this.texts;
  #root = this.attachShadow({ mode: "open" });
  #dialog;
  /** By context, so that a late answer finds its own. */
  #states = new Map();
  #state;

  /** Frameworks set an attribute as a property. */
  get open() {
    return () => this.toggleAttribute("open", true);
  }

  set open(isOpen) {
    this.toggleAttribute("open", Boolean(isOpen));
  }

  close() {
    this.removeAttribute("open");
  }

  connectedCallback() {
    if (this.hasAttribute("open")) this.#show();
  }

  disconnectedCallback() {
    this.#dialog?.close();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    // Tenant and run are set one after the other.
    if (name !== "open") queueMicrotask(() => this.#enter());
    else if (after === null) this.#dialog?.close();
    else if (this.isConnected) this.#show();
  }

  #show() {
    if (this.#dialog?.open) return;
    this.#enter();
    if (!this.#dialog) this.#build();
    this.#dialog.showModal();
    this.#load();
  }

  #enter() {
    const [service, tenant, run] = ["service", "tenant", "run"]
      .map((name) => this.getAttribute(name));
    const base = URL.parse(service ?? scriptUrl(), document.baseURI);
    let wrong;
    if (run !== null && !RUN_ID.test(run)) wrong = "run";
    if (!TENANT_ID.test(tenant)) wrong = "tenant";
    if (!base?.protocol.startsWith("http")) wrong = "service";
    const runPath = run === null ? "" : `/runs/${encodeURIComponent(run)}`;
    const path = `v1/tenants/${tenant}${runPath}/support-requests`;
    const url = `${base?.href.replace(/\/?$/, "/")}${path}`;
    if (url === this.#state?.url) return;
    // `keys` are of what has no answer yet; `turn` tells an old answer from a new.
    const fresh = { url, wrong, typed: BLANK, errors: {}, keys: new Map(), turn: 0 };
    this.#state = this.#states.get(url) ?? fresh;
    this.#states.set(url, this.#state);
    if (this.#dialog?.open) this.#load();
  }

  async #load() {
    const state = this.#state;
    const turn = ++state.turn;
    Object.assign(state, { known: null, isDone: false, sent: null, check: null });
    state.problem = state.wrong && { status: "setup", attribute: state.wrong };
    this.#render();
    this.#at("title").focus();
    if (!state.wrong) {
      state.loading = this.#call(`${state.url}/latest`, 200, "handoffModes");
      const { body, failure } = await state.loading;
      if (turn !== state.turn) return;
      state.known = body;
      state.problem = failure;
      if (state !== this.#state) return;
    }
    this.#render();
    this.#announce(this.#at("what").textContent);
  }

  async #submit() {
    const state = this.#state;
    const announcePatience = () => this.#announce(this.#say("patience"));
    if (state.isSending) return announcePatience();
    if (state.isDone) return this.#write(state.typed, "summary");
    Object.assign(state, { alert: null, errors: {} });
    for (const name of NAMES) {
      const text = cleaned(state.typed[name]) ?? "";
      const count = [...text].length;
      const max = FIELDS[name][2];
      const isNeeded = name === "summary" || name === "ticket" && state.typed.mode === "link";
      if (isNeeded && !text) state.errors[name] = this.#say(`${name}Missing`);
      if (count > max) state.errors[name] = this.#say("tooLong", { max, count });
    }
    const wrong = () => NAMES.find((name) => state.errors[name]);
    if (state.wrong) state.alert = state.problem;
    else if (!wrong()) {
      state.isSending = true;
      this.#render();
      announcePatience();
      await state.loading;
      await this.#send(state);
      state.isSending = false;
    }
    if (state !== this.#state) return;
    this.#render();
    this.#at(wrong() ?? (state.isDone ? "heading" : "send")).focus();
    if (state.isDone) this.#announce(this.#at("what").textContent);
  }

  async #send(state) {
    const { typed, keys } = state;
    const said = Object.fromEntries(NAMES.map((name) => [name, cleaned(typed[name])]));
    const { summary, description, severity, name, email, mode, ticket } = said;
    const body = JSON.stringify({
      summary,
      description,
      severity,
      contact: name || email ? { name, email } : undefined,
      handoff: mode === "link" ? { mode, ticket } : { mode },
    });
    // The same content, the same key, until it has an answer. Plain http has no `randomUUID`.
    const key = keys.get(body) ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
    keys.set(body, key);
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
    const post = () => this.#call(state.url, 201, "reference", { method: "POST", headers, body });
    let { failure, body: supportRequest } = await post();
    for (let i = 0; failure?.status === 409 && i < RETRIES; i++) {
      const ms = Math.min(failure.seconds * 1000, RETRY_MS);
      await new Promise((resolve) => setTimeout(resolve, ms));
      ({ failure, body: supportRequest } = await post());
    }
    if (failure) {
      // Another submission has the key.
      if (failure.status === 422) keys.delete(body);
      return this.#refuse(state, failure);
    }
    keys.delete(body);
    state.turn++;
    Object.assign(state, { isDone: true, sent: typed, problem: null, check: null });
    state.known = { ...state.known, supportRequest };
    // What was typed meanwhile stays.
    if (state.typed === typed) state.typed = BLANK;
    const init = { detail: supportRequest, bubbles: true, composed: true };
    this.dispatchEvent(new CustomEvent("support-request-submitted", init));
  }

  /** Has the service finish the interrupted handoff of the request that the card shows. */
  async #resume() {
    const state = this.#state;
    if (state.check?.isRunning) return this.#announce(this.#say("resuming"));
    const check = state.check = { isRunning: true };
    const { reference } = state.known.supportRequest;
    this.#render();
    this.#at("resume").focus();
    this.#announce(this.#say("resuming"));
    const call = this.#call(`${state.url}/latest/resume`, 200, "reference", { method: "POST" });
    const { body, failure } = await call;
    // A later reading or submission has taken its place.
    if (state.check !== check || state.known?.supportRequest?.reference !== reference) return;
    const isUnclear = body?.reference === reference && body.handoff.reason === "interrupted";
    state.check = { failure, isUnclear };
    if (body) state.known = { ...state.known, supportRequest: body };
    if (state !== this.#state) return;
    // Only the button's own focus moves: the person may be typing by now.
    const isWaiting = this.#root.activeElement === this.#at("resume");
    this.#render();
    if (isWaiting) (this.#at("resume") ?? this.#at("heading")).focus();
    this.#announce((this.#at("checked") ?? this.#at("what")).textContent);
  }

  #refuse(state, failure) {
    const elsewhere = [];
    for (const { pointer, detail } of failure.errors) {
      const name = NAMES.find((name) => FIELDS[name][0] === pointer);
      if (name) state.errors[name] = `${capital(detail)}.`;
      else elsewhere.push(`${pointer} ${detail}`);
    }
    if (failure.errors.length > 0 && elsewhere.length === 0) return;
    state.alert = { ...failure, detail: elsewhere.join("; ") || failure.detail };
  }

  /** Never throws. `proof`: a field of the wanted answer. */
  async #call(url, wanted, proof, init) {
    const signal = AbortSignal.timeout(CALL_MS);
    const late = new Promise((_, reject) => signal.addEventListener("abort", reject));
    const headers = new Headers(init?.headers);
    const failure = { status: 401, errors: [], isSubmission: Boolean(init?.body) };
    try {
      const token = await Promise.race([this.getToken(), late]);
      if (!token) throw new TypeError("getToken gave no token");
      headers.set("Authorization", `Bearer ${token}`);
      failure.status = 0;
      const response = await fetch(url, { ...init, headers, signal, credentials: "omit" });
      const { status } = response;
      const body = await response.json().catch(() => null);
      if (status === wanted && body?.[proof]) return { body };
      if (!response.ok) failure.status = status;
      if (Array.isArray(body?.errors)) failure.errors = body.errors;
      failure.detail = body?.detail ?? status;
      failure.requestId = response.headers.get("X-Request-Id");
      failure.seconds = Number(response.headers.get("Retry-After")) || 5;
    } catch (error) {
      console.error(error);
    }
    return { failure };
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  #say(key, values) {
    const texts = { ...EN, ...this.texts };
    const all = { desk: this.#state.known?.desk?.label ?? texts.desk, ...values };
    return texts[key]?.replace(/\{(\w+)\}/g, (_, name) => all[name]) ?? "";
  }

  #announce(text) {
    // A new element is read even if its text is the same.
    this.#at("announcer").replaceChildren(h("p", text));
  }

  #render() {
    const state = this.#state;
    const { known, alert, isSending, isDone, typed } = state;
    const modes = known?.handoffModes ?? [typed.mode];
    if (!modes.includes(typed.mode)) state.typed = { ...typed, mode: modes[0] };
    const options = modes.map((value) => h("option", { value }, this.#say(`to${capital(value)}`)));
    this.#at("mode").replaceChildren(...options);
    for (const name of NAMES) this.#at(name).value = state.typed[name];
    this.#at("mode-field").hidden = modes.length < 2;
    this.#at("noDesk").hidden = !known || Boolean(known.desk);
    this.#at("card").replaceWith(this.#card());
    this.#at("alert").replaceChildren(...alert ? [h("div", ...this.#told(alert))] : []);
    this.#at("fields").hidden = isDone;
    this.#at("progress").textContent = isSending ? this.#say("patience") : "";
    const doing = state.typed.mode === "create" ? "asking" : "sending";
    const send = this.#at("send");
    send.textContent = this.#say(
      isDone ? "another" : isSending ? doing : alert ? "again" : "send",
    );
    send.className = isDone ? "" : "main";
    send.ariaDisabled = Boolean(isSending);
    this.#mark();
  }

  #mark() {
    const { errors, typed } = this.#state;
    for (const name of NAMES) {
      this.#at(name).ariaInvalid = name in errors;
      this.#at(`${name}-error`).textContent = errors[name];
    }
    this.#at("ticket-field").hidden = typed.mode !== "link";
  }

  #card() {
    const { known, problem, isDone, sent, typed } = this.#state;
    const card = h("section#card", { "aria-labelledby": "heading" });
    const button = (key, click) =>
      card.append(h("button", { type: "button", click }, this.#say(key)));
    card.append(h("h3#heading", { tabindex: -1 }, this.#say(isDone ? "done" : "latest")));
    const request = known?.supportRequest;
    if (!request) {
      const told = problem ? this.#told(problem) : [this.#say(known ? "nothing" : "loading")];
      card.append(h("div#what", ...told));
      if (problem) button("again", () => this.#load());
      return card;
    }
    const { handoff, reference, summary, severity, createdAt, createdBy } = request;
    const { status, ticket } = handoff;
    card.className = status;
    card.append(
      h("p", { dir: "auto" }, summary),
      h(
        "small",
        h("code", reference),
        h("br"),
        new Date(createdAt).toLocaleString(this.#say("lang"), {
          dateStyle: "medium",
          timeStyle: "short",
        }),
        " · ",
        h("bdi", createdBy.name ?? createdBy.id),
      ),
      h("p#what", handoff.summary ?? this.#say(status)),
    );
    if (ticket) {
      const { url: href, reference: number } = ticket;
      const link = { href, target: "_blank", rel: "noopener noreferrer" };
      card.append(
        /^https?:/i.test(href) ? h("a", link, this.#say("number", { number })) : number,
      );
    }
    if (status === "pending") button("look", () => this.#load());
    if (handoff.reason === "interrupted") this.#offerResume(card, button);
    const mode = handoff.ticketMayExist ? "link" : "create";
    if (status === "failed" && known.handoffModes?.includes(mode)) {
      button(mode, () => {
        const before = typed.summary ? typed : sent ?? { ...BLANK, summary, severity };
        this.#write({ ...before, mode }, mode === "link" ? "ticket" : "summary");
      });
    }
    return card;
  }

  #offerResume(card, button) {
    const { failure, isUnclear, isRunning } = this.#state.check ?? {};
    if (failure) card.append(h("div#checked", ...this.#told(failure)));
    if (isUnclear) card.append(h("p#checked", this.#say("unclear")));
    button(isRunning ? "resuming" : "resume", () => this.#resume());
    card.lastChild.id = "resume";
    card.lastChild.ariaDisabled = Boolean(isRunning);
  }

  #write(typed, id) {
    Object.assign(this.#state, { typed, isDone: false });
    this.#render();
    this.#at(id).focus();
  }

  #told(failure) {
    const { status, requestId, isSubmission } = failure;
    const isUnclear = status === 0 || status === 409 || status >= 500;
    const key = EN[status] ? status : isUnclear ? 0 : "refused";
    const told = [h("p", this.#say(key, failure), " ")];
    if (isUnclear && isSubmission) told.push(h("p", this.#say("maybe")));
    if (requestId) told.push(h("small", this.#say("quote"), " ", h("code", requestId)));
    return told;
  }

  #build() {
    const text = (key) => this.#say(key);
    const field = (name, tag, attributes, ...children) => {
      const described = `${name}-hint ${name}-error`;
      return h(
        `div#${name}-field`,
        h("label", { for: name }, text(name)),
        h(`${tag}#${name}`, { name, "aria-describedby": described, ...attributes }, ...children),
        h(`small#${name}-hint`, text(`${name}Hint`)),
        h(`strong#${name}-error`),
      );
    };
    const severities = ["low", "normal", "high", "critical"];
    const line = { autocomplete: "off", "aria-required": true };
    const handlers = {
      submit: (event) => {
        event.preventDefault();
        this.#submit();
      },
      // The page would take what is typed for its own shortcuts.
      keydown: (event) => event.stopPropagation(),
      input: ({ target: { name, value } }) => {
        const state = this.#state;
        state.typed = { ...state.typed, [name]: value };
        delete state.errors[name];
        this.#mark();
      },
    };
    this.#dialog = h(
      "dialog",
      { "aria-labelledby": "title", closedby: "any", lang: text("lang") },
      h(
        "div#top",
        h("h2#title", { tabindex: -1, autofocus: "" }, text("title")),
        h("button#x", { "aria-label": text("close"), click: () => this.close() }, "×"),
      ),
      h(
        "form",
        { novalidate: "", ...handlers },
        h(
          "div#body",
          h("section#card"),
          h(
            "div#fields",
            field("summary", "input", line),
            field("description", "textarea", {}),
            field(
              "severity",
              "select",
              {},
              ...severities.map((value) => h("option", { value }, text(value))),
            ),
            h(
              "div#pair",
              field("name", "input", { autocomplete: "name" }),
              field("email", "input", { type: "email", autocomplete: "email" }),
            ),
            field("mode", "select", {}),
            field("ticket", "input", line),
            h("small#noDesk", text("noDesk")),
          ),
        ),
        h(
          "div#foot",
          h("div#alert", { role: "alert" }),
          h("small#progress"),
          h("progress", { "aria-labelledby": "progress" }),
          h("button#send", { "aria-describedby": "progress" }),
        ),
      ),
      h("div#announcer", { role: "status" }),
    );
    this.#dialog.addEventListener("close", () => {
      // One that was moved in the page is open again.
      if (this.#dialog.open) return;
      this.close();
      this.dispatchEvent(new Event("close"));
    });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.#root.adoptedStyleSheets = [sheet];
    this.#root.append(this.#dialog);
  }
}
