import { toTimestamp } from "../../domain/model/handoff.ts";
import { createStore } from "../../kv/store.ts";
import { type Stage, type StageOptions, until } from "./stage.ts";
import { ACME, AUTH_SECRET } from "../support/constants.ts";
import { requestIn } from "../support/records.ts";
import { mintToken } from "../demo/token.ts";

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

export async function fillIn({ panel }: Stage, summary = "The nightly import stops at row 40,000") {
  await panel.field("Summary").fill(summary);
  await panel.field(/Description/).fill("Since Monday.\nThe log ends with a timeout.");
  await panel.field("Severity").selectOption("high");
  await panel.field(/Your name/).fill("Ada Lovelace");
  await panel.field(/Your email/).fill("ada@acme.example");
}

/** Keeps a request of the tenant `acme`, as somebody else would. */
export async function keep({ url }: Stage, submission: Record<string, unknown>, runId?: string) {
  const token = await mintToken(AUTH_SECRET, { sub: "u-2", name: "Grace Hopper" });
  const run = runId === undefined ? "" : `/runs/${runId}`;
  const response = await fetch(`${url}/v1/tenants/acme${run}/support-requests`, {
    method: "POST",
    headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(submission),
  });
  if (response.status !== 201) throw new Error(`Cannot keep a request: ${await response.text()}`);
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

const done = ({ panel }: Stage) =>
  panel.dialog.getByRole("heading", { name: "Your request is kept" }).waitFor();

export const STATES: State[] = [
  {
    name: "first-opening",
    arrange: ({ panel }) => panel.open(),
  },
  {
    name: "latest-with-ticket",
    async arrange(stage) {
      await keep(stage, { summary: "The export lacks a column", handoff: { mode: "create" } });
      await stage.panel.open();
    },
  },
  {
    name: "pending",
    options: { env: { SUPPORT_DESK_TIMEOUT_MS: "5000" } },
    async arrange(stage) {
      stage.desk.behave("hang");
      const kept = keep(stage, { summary: "The export hangs", handoff: { mode: "create" } });
      kept.catch(() => {});
      await until(async () => await stage.kept() === 1);
      await stage.panel.open();
    },
  },
  {
    name: "interrupted",
    async arrange(stage) {
      await leaveInterrupted(stage);
      await stage.panel.open();
    },
  },
  {
    name: "interrupted-unclear",
    async arrange(stage) {
      await leaveInterrupted(stage);
      stage.desk.behave("rubbish");
      await stage.panel.open();
      await stage.panel.button("Check again").click();
      await stage.panel.card.getByText("gave no clear answer").waitFor();
    },
  },
  {
    name: "interrupted-failed",
    async arrange(stage) {
      await leaveInterrupted(stage);
      await stage.panel.open();
      stage.closeStore();
      await stage.panel.button("Check again").click();
      await stage.panel.card.getByText("If you report this").waitFor();
    },
  },
  {
    name: "filled-in-link",
    async arrange(stage) {
      await stage.panel.open();
      await fillIn(stage);
      await stage.panel.field("Where should it go?").selectOption("link");
      await stage.panel.field("Which ticket?").fill("42");
    },
  },
  {
    name: "sending",
    async arrange(stage) {
      await stage.page.route("**/support-requests", () => {});
      await submit(stage);
      await stage.panel.button("Asking Acme IT desk…").waitFor();
    },
  },
  {
    name: "done-created",
    async arrange(stage) {
      await submit(stage);
      await done(stage);
    },
  },
  {
    name: "done-failed",
    async arrange(stage) {
      stage.desk.behave("refuse");
      await submit(stage);
      await done(stage);
    },
  },
  {
    name: "done-may-exist",
    async arrange(stage) {
      stage.desk.behave("rubbish");
      await submit(stage);
      await done(stage);
    },
  },
  {
    name: "invalid-fields",
    async arrange(stage) {
      await stage.panel.open();
      await stage.panel.field("Summary").fill("x".repeat(201));
      await stage.panel.field(/Your email/).fill("ada@acme");
      await stage.panel.field("Where should it go?").selectOption("link");
      await stage.panel.send.click();
    },
  },
  {
    name: "store-down",
    async arrange(stage) {
      await stage.panel.open();
      await fillIn(stage);
      stage.closeStore();
      await stage.panel.send.click();
      await stage.panel.button("Try again").waitFor();
    },
  },
  {
    name: "unreachable",
    async arrange(stage) {
      await stage.stop();
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
      await keep(stage, {
        summary: HOSTILE.long,
        handoff: { mode: "link", ticket: "999999999999999" },
      });
      await stage.panel.open();
    },
  },
];
