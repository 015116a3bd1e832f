/**
 * How a frontend in any framework calls Deskhand, with types generated from the OpenAPI document:
 *
 *   npx -y openapi-typescript@7.13.0 http://127.0.0.1:8000/openapi.json --default-non-nullable=false -o deskhand.d.ts
 */
import createClient from "npm:openapi-fetch@0.17.0";
import type { components, paths } from "./deskhand.d.ts";

type SupportRequest = components["schemas"]["SupportRequest"];

const [baseUrl, token] = Deno.args;
const deskhand = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const params = { path: { tenantId: "acme" } };

const { data, error } = await deskhand.POST("/v1/tenants/{tenantId}/support-requests", {
  params: { ...params, header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { summary: "The nightly import stops", handoff: { mode: "create" } },
});
console.log(data ? describe(data) : `${error.title}: ${error.detail}`);

const latest = await deskhand.GET("/v1/tenants/{tenantId}/support-requests/latest", { params });
if (latest.data?.supportRequest) console.log(describe(latest.data.supportRequest));

const events: string[] = [];
for (let cursor: string | undefined; events.length < 10;) {
  const page = await deskhand.GET("/v1/tenants/{tenantId}/audit-events", {
    params: { ...params, query: { limit: 1, cursor } },
  });
  events.push(...page.data?.events.map(({ event }) => event) ?? []);
  if (!page.data?.nextCursor) break;
  cursor = page.data.nextCursor;
}
console.log(events.join(", "));

const refused = await deskhand.POST("/v1/tenants/{tenantId}/support-requests", {
  params,
  body: { summary: "" },
});
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
