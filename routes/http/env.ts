import type { Actor } from "../../domain/model/support_request.ts";
import type { Bindings } from "./server.ts";

/** Why a request was rejected: for the log only, never for the response. */
export interface LoggedRejection {
  /** One of a fixed set. */
  reason: string;
  /** The tenant in the path, which the token does not cover. */
  tenantId?: string;
  scope?: string;
  origin?: string;
}

/** Whether a submission that failed is stored; `yes` only by an earlier call with the same key. */
export type Stored = "no" | "yes" | "unknown";

/** Hono's environment: what the server and the middleware pass to handlers. */
export interface Env {
  /** Absent if the request does not come from a server, as in tests. */
  Bindings: Bindings | undefined;
  Variables: {
    requestId: string;
    /** The URL at which clients reach the service, if configured, without a trailing slash. */
    publicUrl?: string;
    /** Set once the token is verified and covers the tenant in the path. */
    actor: Actor;
    tenantId: string;
    /** The actor's verified email address, only for the desk. */
    requestorEmail?: string;
    /** Set once the token is verified, even if it does not cover the tenant. For the log only. */
    actorHash?: string;
    rejection?: LoggedRejection;
    idempotencyKey?: string;
    /** The default headers of the response, if they depend on the request's origin (cors.ts). */
    defaultHeaders?: Readonly<Record<string, string>>;
    /** The latest response that was created with all default headers. */
    completeResponse?: Response;
    /** Whether the submission is stored, for a problem. Set before the first write to the store. */
    stored?: Stored;
  };
}
