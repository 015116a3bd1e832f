/// <reference lib="dom" />
import { scriptService } from "./script_url.ts";
import type { ContextState } from "./state.ts";

const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
/** Rejects, for example, the run `..`, which would resolve to the tenant's own path. */
const RUN_ID = /^[A-Za-z0-9_][A-Za-z0-9._:+@~=-]{0,249}$/;

export interface ContextAddress {
  url: string;
  invalidAttribute: ContextState["invalidAttribute"];
}

/** Returns where the support requests of the element's context are. */
export function addressOf(element: Element): ContextAddress {
  const [service, tenant, run] = ["service", "tenant", "run"]
    .map((name) => element.getAttribute(name));
  let base = "";
  try {
    // Not `URL.parse`, which the oldest supported browsers do not have.
    base = new URL(service ?? scriptService(), element.baseURI).href.replace(/\/?$/, "/");
  } catch {
    // Not a URL.
  }
  let invalidAttribute: ContextState["invalidAttribute"];
  if (run !== null && !RUN_ID.test(run!)) invalidAttribute = "run";
  if (!TENANT_ID.test(tenant ?? "")) invalidAttribute = "tenant";
  if (!base.startsWith("http")) invalidAttribute = "service";
  const runPath = run === null ? "" : `/runs/${encodeURIComponent(run!)}`;
  const path = `v1/tenants/${tenant}${runPath}/support-requests`;
  return { url: base + path, invalidAttribute };
}
