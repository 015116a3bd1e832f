/// <reference lib="dom" />
import { toTimestamp } from "../../domain/model/handoff.ts";
import { createStore } from "../../kv/store.ts";
import { requestIn } from "../support/records.ts";
import { ACME, AUTH_SECRET } from "../support/constants.ts";
import { mintToken } from "../demo/token.ts";
import { waitFor } from "../support/wait_for.ts";
import { type Stage, type StageOptions } from "./stage.ts";

/** What somebody hostile, or only unlucky, may have written: all of it is text. */
export const HOSTILE = {
  html: `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`,
  bidi: "Invoice \u202Etxt.exe\u2066 and \u05E9\u05DC\u05D5\u05DD $& {desk}",
  long: "W".repeat(200),
};

/** Everything that the panel can look like, and how a person gets there. */
export interface State {
  name: string;
  options?: StageOptions;
  arrange(stage: Stage): Promise<void>;
}

/** Fills in the form, in any language. */
export async function fillIn({ panel }: Stage, summary = "The nightly import stops at row 40,000") {
  const field = (name: string) => panel.dialog.locator(`#${name}`);
  await field("summary").fill(summary);
  await field("description").fill("Since Monday.\nThe log ends with a timeout.");
  await field("severity").selectOption("high");
  for (const [name, text] of [["name", "Ada Lovelace"], ["email", "ada@acme.example"]] as const) {
    if (await field(name).isVisible()) await field(name).fill(text);
  }
}

/** Stores a request of the tenant `acme`, as somebody else would. */
export async function store({ url }: Stage, submission: Record<string, unknown>, runId?: string) {
  const token = await mintToken(AUTH_SECRET, { sub: "u-2", name: "Grace Hopper" });
  const run = runId === undefined ? "" : `/runs/${runId}`;
  const response = await fetch(`${url}/v1/tenants/acme${run}/support-requests`, {
    method: "POST",
    headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(submission),
  });
  if (response.status !== 201) throw new Error(`Cannot store a request: ${await response.text()}`);
  return await response.json();
}

/** Leaves a request of the tenant `acme` as a process does that died while it called the desk. */
export async function leaveInterrupted({ kv }: Stage): Promise<string> {
  const since = Date.now() - 60_000;
  const request = requestIn(ACME, {
    now: since,
    summary: "The export hangs",
    createdBy: { id: "u-2", name: "Grace Hopper" },
    handoff: {
      status: "pending",
      since: toTimestamp(since),
      until: toTimestamp(since + 15_000),
    },
  });
  const clock = { now: () => since, elapsed: () => performance.now() };
  await createStore(kv, { clock, retentionDays: null, isExclusive: true }).append(request);
  return request.reference;
}

async function submit(stage: Stage) {
  await stage.panel.open();
  await fillIn(stage);
  await stage.panel.send.click();
}

async function submitted(stage: Stage) {
  await submit(stage);
  await stage.panel.result.waitFor();
}

/**
 * Delivers the page's next submissions, and loses their responses. If `isHeld`, they are lost when
 * `lose()` is called in the page; otherwise, when they arrive.
 */
export async function loseResponses({ page }: Stage, times: number, isHeld = false) {
  await page.evaluate(([times, isHeld]) => {
    const { fetch } = globalThis;
    let left = Number(times);
    const released = new Promise<void>((resolve) => Object.assign(globalThis, { lose: resolve }));
    globalThis.fetch = async (input, init) => {
      const isLost = init?.method === "POST" && left-- > 0;
      const response = fetch(input, init);
      if (!isLost) return await response;
      response.catch(() => {});
      await (isHeld ? released : response);
      throw new DOMException("The response is lost", "NetworkError");
    };
  }, [times, isHeld] as const);
}

/** Responds to calls of this kind as a server with a fault would. */
function answer(stage: Stage, path: string, status: number, headers: Record<string, string> = {}) {
  return stage.page.route(path, (route) =>
    route.fulfill({
      status,
      json: {},
      headers: {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "*",
        "X-Request-Id": "0190c4a1-7c1e-7b1e-9c3f-2f1e5d6a7b8c",
        ...headers,
      },
    }));
}

export const STATES: State[] = [
  {
    name: "first-opening",
    options: { attributes: `tenant="acme" about="Nightly import, run 42" modes="create"` },
    async arrange({ panel, page }) {
      await page.evaluate(`panel.contact = { name: "Ada Lovelace", email: "ada@acme.example" }`);
      await panel.open();
    },
  },
  {
    name: "every-field",
    arrange: ({ panel }) => panel.open(),
  },
  {
    name: "latest-line",
    async arrange(stage) {
      await store(stage, { summary: "The export lacks a column", handoff: { mode: "create" } });
      await stage.panel.open();
    },
  },
  {
    name: "latest-opened",
    async arrange(stage) {
      await store(stage, { summary: "The export lacks a column", handoff: { mode: "create" } });
      await stage.panel.open();
      await stage.panel.dialog.locator("#latest").click();
    },
  },
  {
    name: "latest-pending",
    options: { env: { SUPPORT_DESK_TIMEOUT_MS: "5000" } },
    async arrange(stage) {
      stage.desk.behave("hang");
      store(stage, { summary: "The export hangs", handoff: { mode: "create" } }).catch(() => {});
      await waitFor("a stored request", () => stage.countStored(), (count) => count === 1);
      await stage.panel.open();
      await stage.panel.dialog.locator("#latest").click();
    },
  },
  {
    name: "latest-interrupted",
    async arrange(stage) {
      await leaveInterrupted(stage);
      await stage.panel.open();
      await stage.panel.dialog.locator("#latest").click();
    },
  },
  {
    name: "check-unclear",
    async arrange(stage) {
      await leaveInterrupted(stage);
      stage.desk.behave("rubbish");
      await stage.panel.open();
      await stage.panel.dialog.locator("#latest").click();
      await stage.panel.dialog.locator("#resume").click();
      await stage.panel.dialog.locator("#checked").waitFor();
    },
  },
  {
    name: "check-failed",
    async arrange(stage) {
      await leaveInterrupted(stage);
      await stage.panel.open();
      await answer(stage, "**/resume", 500);
      await stage.panel.dialog.locator("#latest").click();
      await stage.panel.dialog.locator("#resume").click();
      await stage.panel.dialog.locator("#checked").waitFor();
    },
  },
  {
    name: "link",
    async arrange(stage) {
      await stage.panel.open();
      await fillIn(stage);
      await stage.panel.dialog.locator("#mode").selectOption("link");
      await stage.panel.dialog.locator("#ticket").fill("42");
    },
  },
  {
    name: "sending",
    async arrange(stage) {
      await stage.page.route("**/support-requests", () => {});
      await submit(stage);
      await stage.panel.dialog.locator("#send[aria-disabled=true]").waitFor();
    },
  },
  { name: "result-created", arrange: submitted },
  {
    name: "result-linked",
    async arrange(stage) {
      await stage.panel.open();
      await fillIn(stage);
      await stage.panel.dialog.locator("#mode").selectOption("link");
      await stage.panel.dialog.locator("#ticket").fill("42");
      await stage.panel.send.click();
      await stage.panel.result.waitFor();
    },
  },
  { name: "result-saved", options: { hasDesk: false }, arrange: submitted },
  {
    name: "result-failed",
    async arrange(stage) {
      stage.desk.behave("refuse");
      await submitted(stage);
    },
  },
  {
    name: "result-unclear",
    async arrange(stage) {
      stage.desk.behave("rubbish");
      await submitted(stage);
    },
  },
  {
    name: "invalid-fields",
    async arrange(stage) {
      const { dialog, send } = stage.panel;
      await stage.panel.open();
      await dialog.locator("#summary").fill("x".repeat(201));
      await dialog.locator("#mode").selectOption("link");
      await send.click();
    },
  },
  {
    name: "server-error",
    async arrange(stage) {
      await stage.panel.open();
      await fillIn(stage);
      await answer(stage, "**/support-requests", 503);
      await stage.panel.send.click();
      await stage.panel.alert.locator("code").waitFor();
    },
  },
  {
    name: "rate-limited",
    async arrange(stage) {
      await stage.panel.open();
      await fillIn(stage);
      await answer(stage, "**/support-requests", 429, { "Retry-After": "30" });
      await stage.panel.send.click();
      await stage.panel.alert.locator("code").waitFor();
    },
  },
  {
    name: "unreachable",
    async arrange(stage) {
      await stage.page.route("**/latest", (route) => route.abort());
      await stage.panel.open();
    },
  },
  {
    name: "no-desk",
    options: { hasDesk: false },
    async arrange(stage) {
      await stage.panel.open();
      await fillIn(stage);
    },
  },
  {
    name: "hostile-texts",
    options: { env: { SUPPORT_DESK_LABEL: "<b>W{name}$&".padEnd(40, "W") } },
    async arrange(stage) {
      await store(stage, {
        summary: HOSTILE.long,
        handoff: { mode: "link", ticket: "999999999999999" },
      });
      await stage.panel.open();
      await stage.panel.dialog.locator("#latest").click();
    },
  },
];
