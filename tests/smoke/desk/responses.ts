/** What the smoke test reads of RT's responses. */
import * as z from "zod";
import type { DeskResponse } from "./call.ts";

const Version = z.object({ Version: z.string() });

/** `GET /REST/2.0/queue/{name}`. */
export const QueueResponse = z.object({
  Name: z.string(),
  /** "1" for a disabled queue. */
  Disabled: z.coerce.string(),
  /** The fields that the user may see. */
  TicketCustomFields: z.array(z.object({ name: z.string() })).catch([]),
  /** Has a link to create a ticket if the user may do so. */
  _hyperlinks: z.array(z.object({ ref: z.string(), type: z.string().optional() })).catch([]),
});

export type QueueResponse = z.infer<typeof QueueResponse>;

/** `GET /REST/2.0/queues/all?fields=Name`: the queues that the user may see. */
export const QueuesResponse = z.object({ items: z.array(z.object({ Name: z.string() })) });

export function isVersion({ json }: DeskResponse): boolean {
  return Version.safeParse(json).success;
}

/** Returns the number of RT's version, without what a distribution appends to it. */
export function version({ json }: DeskResponse): string {
  const text = Version.safeParse(json).data?.Version ?? "";
  return /^\d{1,3}(?:\.\d{1,4}){1,3}/.exec(text)?.[0] ?? "of an unknown version";
}

const Unauthorized = z.object({ message: z.literal("Unauthorized") });

/**
 * Whether a response is RT's own rejection of a token, and not that of a proxy or another service.
 */
export function isUnauthorized({ status, json }: DeskResponse): boolean {
  return status === 401 && Unauthorized.safeParse(json).success;
}
