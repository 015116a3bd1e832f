/// <reference lib="dom" />
import { scriptService } from "./script_url.ts";
import { type ContextState, createState } from "./state.ts";

/**
 * What is safe in a path; the service validates the rest. Rejects, for example, the run `..`, which
 * would resolve to the tenant's own path.
 */
const ID = /^\w[\w.:+@~=-]*$/;

/** Returns the state of the element's context: a new one if nothing is known about it yet. */
export function stateOf(element: Element, states: Map<string, ContextState>): ContextState {
  const { url, invalid } = resolveContext(element);
  const state = states.get(url) ?? createState(url, invalid);
  states.set(url, state);
  return state;
}

/** Returns the URL of the support requests of the element's context, and the attribute that is invalid. */
function resolveContext(element: Element): { url: string; invalid?: string } {
  const [service, tenant, run] = ["service", "tenant", "run"]
    .map((name) => element.getAttribute(name));
  let base = "";
  try {
    // Not `URL.parse`, which the oldest supported browsers do not have.
    base = new URL(service ?? scriptService(), element.baseURI).href.replace(/\/?$/, "/");
  } catch {
    // Not a URL.
  }
  const path = run === null ? "" : `/runs/${encodeURIComponent(run!)}`;
  return {
    url: `${base}v1/tenants/${tenant}${path}/support-requests`,
    invalid: !base.startsWith("http")
      ? "service"
      : !ID.test(tenant ?? "")
      ? "tenant"
      : run !== null && !ID.test(run!)
      ? "run"
      : undefined,
  };
}
