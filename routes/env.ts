import type { Actor } from "../domain/support_request.ts";
import type { Bindings } from "./listen.ts";

/** What middleware leaves for handlers. */
export interface Env {
  /** Absent where a request does not come from a server, as in tests. */
  Bindings: Bindings | undefined;
  Variables: {
    requestId: string;
    /** Where clients reach the service, if configured: without a slash at its end. */
    publicUrl?: string;
    /** Set once the token was verified and covers the tenant of the path. */
    actor: Actor;
    tenantId: string;
    /** The actor's verified email address, for the desk alone. */
    requestorEmail?: string;
    /** Why the token was refused: for the log only. */
    refusal?: string;
    idempotencyKey?: string;
    /** Set where an answer was made with all its headers. */
    hasAllHeaders?: true;
    /** Set once something may have been stored. */
    isSubmitting?: true;
  };
}
