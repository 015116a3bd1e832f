/**
 * Calls Deskhand with the client that Orval generates, from orval.config.mjs beside this file:
 *
 *   npx -y -p orval@8.38.0 orval --config orval.config.mjs
 */
import {
  latestInTenant,
  listAuditEvents,
  submitInTenant,
  type SupportRequest,
} from "./deskhand.ts";

const [token] = Deno.args;
const headers = { Authorization: `Bearer ${token}` };

const answer = await submitInTenant(
  "acme",
  { summary: "The nightly import stops", handoff: { mode: "create" } },
  { headers: { ...headers, "Idempotency-Key": crypto.randomUUID() } },
);
console.log(
  answer.status === 201 ? describe(answer.data) : `${answer.data.title}: ${answer.data.detail}`,
);

const latest = await latestInTenant("acme", { headers });
if (latest.status === 200 && latest.data.supportRequest) {
  console.log(describe(latest.data.supportRequest));
}

const events: string[] = [];
for (let cursor: string | undefined; events.length < 10;) {
  const page = await listAuditEvents("acme", { limit: 1, cursor }, { headers });
  if (page.status !== 200) break;
  events.push(...page.data.events.map(({ event }) => event));
  if (page.data.nextCursor === null) break;
  cursor = page.data.nextCursor;
}
console.log(events.join(", "));

const refused = await submitInTenant("acme", { summary: "" }, { headers });
if (refused.status === 422) {
  console.log(refused.data.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`).join("; "));
}

function describe({ handoff }: SupportRequest): string {
  switch (handoff.status) {
    case "created":
    case "linked":
      return `ticket ${handoff.ticket.reference}`;
    case "failed":
      return handoff.summary;
    default:
      return handoff.status;
  }
}
