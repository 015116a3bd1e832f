import type { z } from "zod";
import type * as Client from "../../routes/client/client.ts";
import type { Submission } from "../../domain/model/submission.ts";
import type { Stored } from "../../routes/http/env.ts";
import type { PROBLEMS } from "../../routes/http/problems.ts";
import type { AuditEvents, ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";

/** Whether each type can be assigned to the other. */
type Equal<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false;

/** Fails to compile unless its argument is true. */
type Assert<T extends true> = T;

/** Checked by the compiler alone: the client's types are those of the service. */
export type Checked = [
  Assert<Equal<Client.SupportRequest, SupportRequest>>,
  Assert<Equal<Client.ContextSummary, ContextSummary>>,
  Assert<Equal<Client.AuditEvents, AuditEvents>>,
  Assert<Equal<Client.ProblemSlug, keyof typeof PROBLEMS>>,
  Assert<Equal<Client.Stored, Stored>>,
  // What the client may send is valid, and every field that the service knows can be sent.
  Assert<Client.Submission extends z.input<typeof Submission> ? true : false>,
  Assert<Equal<keyof Client.Submission, keyof z.input<typeof Submission>>>,
];
