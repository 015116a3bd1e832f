import type { Actor } from "../../domain/model/support_request.ts";
import type { Bindings } from "./server.ts";

export interface LoggedRejection {
  reason: string;
  /** The tenant of the path, which the token does not cover. */
  tenantId?: string;
  scope?: string;
  origin?: string;
}

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
    /** Set once the token is verified, whether or not it covers the tenant: for the log only. */
    actorHash?: string;
    /** Why the request is rejected, from a fixed set, and what that is about: for the log only. */
    rejection?: LoggedRejection;
    idempotencyKey?: string;
    /** Set where an answer was made with all its headers. */
    hasAllHeaders?: true;
    /** Set once something may have been stored. */
    isSubmitting?: true;
  };
}
