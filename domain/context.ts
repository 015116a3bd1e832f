import { z } from "zod";

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const ID_RULE =
  "must be 1 to 128 letters, digits, '.', '_', ':' or '-', and begin with a letter or digit";

/** A tenant, as the product that embeds Deskhand names it. */
export const TenantId = z.string().regex(ID, ID_RULE);
export type TenantId = z.infer<typeof TenantId>;

/** An operation run, unique within its tenant only. */
export const RunId = z.string().regex(ID, ID_RULE);
export type RunId = z.infer<typeof RunId>;

/** Where a support request is asked. A run belongs to a tenant. */
export const Context = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tenant"), tenantId: TenantId }),
  z.object({ kind: z.literal("run"), tenantId: TenantId, runId: RunId }),
]);
export type Context = z.infer<typeof Context>;
