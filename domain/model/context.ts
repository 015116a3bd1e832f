import { z } from "zod";

const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
/**
 * No slash, which separates a tenant's id from a run's in the store and in paths, and no leading
 * dot, because a segment `..` would change the path.
 */
const RUN_ID = /^[A-Za-z0-9_][A-Za-z0-9._:+@~=-]{0,249}$/;

/** A tenant, as the product that embeds Deskhand names it. */
export const TenantId = z.string().regex(
  TENANT_ID,
  "must be 1 to 128 letters, digits, '.', '_', ':' or '-', and begin with a letter or digit",
);
export type TenantId = z.infer<typeof TenantId>;

/**
 * An operation run, unique within its tenant only. Ids of workflow engines fit: Airflow's
 * `scheduled__2026-11-25T00:00:00+00:00`, Temporal's UUIDs and `name@host~1=2`.
 */
export const RunId = z.string().regex(
  RUN_ID,
  "must be 1 to 250 letters, digits, '.', '_', ':', '+', '@', '~', '=' or '-', and begin with a " +
    "letter, a digit or '_'",
);
export type RunId = z.infer<typeof RunId>;

/** Where a support request is asked. A run belongs to a tenant. */
export const SupportContext = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tenant"), tenantId: TenantId }),
  z.object({ kind: z.literal("run"), tenantId: TenantId, runId: RunId }),
]);
export type SupportContext = z.infer<typeof SupportContext>;
