import * as z from "zod";
import { TicketNumber } from "../domain/model/handoff.ts";
import type { Reference } from "../domain/model/reference.ts";

/**
 * Request Tracker sends a ticket number as a string in some responses and as a number in others.
 */
const ResponseId = z.union([z.string(), z.int().transform(String)]).pipe(TicketNumber);

const CreatedResponse = z.object({ id: ResponseId });

const CustomField = z.object({ name: z.string(), values: z.array(z.unknown()) });

/** Request Tracker sends "" instead of a list for a ticket in a queue without custom fields. */
export const CustomFields = z.union([
  z.array(CustomField),
  z.literal("").transform(() => []),
]);

const FoundItem = z.object({
  id: ResponseId,
  Subject: z.string().optional(),
  CustomFields: CustomFields.optional(),
});
export type FoundItem = z.infer<typeof FoundItem>;

/** `total` is null if Request Tracker checks rights per ticket and therefore does not count. */
const SearchResponse = z.object({ total: z.unknown(), items: z.array(FoundItem) });

/** The result of one search. Only `none` means that no ticket matches. */
export type SearchResult =
  | { outcome: "found"; number: string }
  | { outcome: "none" }
  | { outcome: "unclear" };

/** Parses the response to a create request. Returns the ticket number, or null if it has none. */
export function parseCreatedTicketNumber(json: unknown): string | null {
  const response = CreatedResponse.safeParse(json);
  return response.success ? response.data.id : null;
}

/**
 * Parses the response to a search. Of several tickets that match, returns the oldest. Hits without
 * a match are `unclear`, not `none`: there are tickets that somebody has to look at.
 */
export function parseSearchResult(
  json: unknown,
  isMatch: (item: FoundItem) => boolean,
): SearchResult {
  const response = SearchResponse.safeParse(json);
  if (!response.success) return { outcome: "unclear" };
  const { total, items } = response.data;
  const numbers = items.filter(isMatch).map((item) => item.id);
  if (numbers.length > 0) {
    return { outcome: "found", number: numbers.reduce((a, b) => Number(a) <= Number(b) ? a : b) };
  }
  return { outcome: total === 0 && items.length === 0 ? "none" : "unclear" };
}

/**
 * Returns whether a hit of the search by custom field can be the reference's ticket. A missing
 * field proves nothing: the ticket may have been moved to a queue without it, or our user may not
 * see it. A field without the reference means that the desk ignored the condition.
 */
export function matchesField(field: string, reference: Reference): (item: FoundItem) => boolean {
  return ({ CustomFields }) => {
    const customField = CustomFields?.find(({ name }) => name === field);
    return customField === undefined || customField.values.includes(reference);
  };
}

const ANY_REFERENCE = /SR-[0-7][0-9A-HJKMNP-TV-Z]{25}/i;

/**
 * Returns whether a hit of the search by subject was created for the reference. The first reference
 * in a subject is the ticket's own; a later one was typed by a user, as in "[SR-…2] same as SR-…1".
 * The desk's search is case-insensitive, and support agents may put words in front of the
 * reference.
 */
export function matchesSubject(reference: Reference): (item: FoundItem) => boolean {
  return ({ Subject }) => Subject?.match(ANY_REFERENCE)?.[0].toUpperCase() === reference;
}
