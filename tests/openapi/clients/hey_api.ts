/**
 * Calls Deskhand with the client that Hey API generates:
 *
 *   npx -y -p typescript@5.9.3 -p @hey-api/openapi-ts@0.99.0 openapi-ts -i http://127.0.0.1:8000/openapi.json -o deskhand -c @hey-api/client-fetch
 */
import { client } from "./deskhand/client.gen.ts";
import { latestInTenant, listAuditEvents, submitInTenant } from "./deskhand/sdk.gen.ts";
import type { SupportRequest } from "./deskhand/types.gen.ts";

const [baseUrl, token] = Deno.args;
client.setConfig({ baseUrl, auth: () => token });
const path = { tenantId: "acme" };

const { data, error } = await submitInTenant({
  path,
  headers: { "Idempotency-Key": crypto.randomUUID() },
  body: { summary: "The nightly import stops", handoff: { mode: "create" } },
});
console.log(data ? describe(data) : `${error.title}: ${error.detail}`);

const latest = await latestInTenant({ path });
if (latest.data?.supportRequest) console.log(describe(latest.data.supportRequest));

const events: string[] = [];
for (let cursor: string | undefined; events.length < 10;) {
  const page = await listAuditEvents({ path, query: { limit: 1, cursor } });
  events.push(...page.data?.events.map(({ event }) => event) ?? []);
  if (!page.data?.nextCursor) break;
  cursor = page.data.nextCursor;
}
console.log(events.join(", "));

const refused = await submitInTenant({ path, body: { summary: "" } });
console.log(refused.error?.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`).join("; "));

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
