import * as z from "zod";

const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
/**
 * No slash, which separates the tenant id from the run id in store keys and URL paths. No leading
 * dot, because a path segment `..` would change the path.
 */
const RUN_ID = /^[A-Za-z0-9_][A-Za-z0-9._:+@~=-]{0,249}$/;

/** A tenant id, assigned by the product that embeds Deskhand. */
export const TenantId = z.string().regex(
  TENANT_ID,
  "must be 1 to 128 letters, digits, '.', '_', ':' or '-', and start with a letter or digit",
);
export type TenantId = z.infer<typeof TenantId>;

/**
 * The id of an operation run, unique only within its tenant. Accepts the ids of workflow engines:
 * Airflow's `scheduled__2026-11-25T00:00:00+00:00`, Temporal's UUIDs and `name@host~1=2`.
 */
export const RunId = z.string().regex(
  RUN_ID,
  "must be 1 to 250 letters, digits, '.', '_', ':', '+', '@', '~', '=' or '-', and start with a " +
    "letter, a digit or '_'",
);
export type RunId = z.infer<typeof RunId>;

/** What a support request belongs to: a tenant, or one run of a tenant. */
export const SupportContext = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tenant"), tenantId: TenantId }),
  z.object({ kind: z.literal("run"), tenantId: TenantId, runId: RunId }),
]);
export type SupportContext = z.infer<typeof SupportContext>;

/** Returns a string that identifies a context. Neither ID contains a slash. */
export function contextId(context: SupportContext): string {
  return context.kind === "tenant"
    ? `tenant/${context.tenantId}`
    : `run/${context.tenantId}/${context.runId}`;
}
