/** How a product's frontend asks for support, with types that come from the service itself. */
import {
  createClient,
  type Problem,
  problemSlug,
  type SupportRequestResponse,
} from "../../routes/client.ts";

type Client = ReturnType<typeof createClient>;

export interface Question {
  tenantId: string;
  runId: string;
  summary: string;
}

/**
 * Submits a support request with a ticket, and says what became of it in a sentence for the person
 * who asked. Repeat it with the same `key` where it throws: nothing is stored twice.
 */
export async function askForHelp(
  client: Client,
  { tenantId, runId, summary }: Question,
  key: string,
): Promise<string> {
  const requests = client.v1.tenants[":tenantId"].runs[":runId"]["support-requests"];
  const answer = await requests.$post(
    { param: { tenantId, runId }, json: { summary, handoff: { mode: "create" } } },
    { headers: { "Idempotency-Key": key } },
  );
  return answer.ok ? describe(await answer.json()) : explain(await answer.json());
}

/** Says what became of the latest support request of a run. */
export async function lookUp(client: Client, tenantId: string, runId: string): Promise<string> {
  const requests = client.v1.tenants[":tenantId"].runs[":runId"]["support-requests"];
  const answer = await requests.latest.$get({ param: { tenantId, runId } });
  if (!answer.ok) return explain(await answer.json());
  const { supportRequest } = await answer.json();
  return supportRequest === null ? "Nobody has asked for support here" : describe(supportRequest);
}

/** Finishes the latest handoff of a run if it was interrupted, and says what became of it. */
export async function checkAgain(
  client: Client,
  tenantId: string,
  runId: string,
): Promise<string> {
  const requests = client.v1.tenants[":tenantId"].runs[":runId"]["support-requests"];
  const response = await requests.latest.resume.$post({ param: { tenantId, runId } });
  return response.ok ? describe(await response.json()) : explain(await response.json());
}

function describe({ reference, handoff }: SupportRequestResponse): string {
  switch (handoff.status) {
    case "none":
      return `${reference} is kept`;
    case "pending":
      return `${reference} is kept, and the desk is being asked`;
    case "created":
    case "linked":
      return `${reference} is ticket ${handoff.ticket.reference}: ${handoff.ticket.url}`;
    case "failed":
      return handoff.summary;
  }
}

function explain(problem: Problem): string {
  switch (problemSlug(problem)) {
    case "validation":
      return (problem.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`).join("; ");
    default:
      return `${problem.title}. ${problem.detail}`;
  }
}
