import { z } from "zod";
import { TicketNumber } from "../domain/model/handoff.ts";
import type { Reference } from "../domain/model/reference.ts";

/** Request Tracker writes a ticket number as a string in some answers, as a number in others. */
const ResponseId = z.union([z.string(), z.int().transform(String)]).pipe(TicketNumber);

const CreatedResponse = z.object({ id: ResponseId });

const CustomField = z.object({ name: z.string(), values: z.array(z.unknown()) });

const FoundItem = z.object({
  id: ResponseId,
  Subject: z.string().optional(),
  // Request Tracker writes "" for a ticket in a queue that has no fields.
  CustomFields: z.union([z.array(CustomField), z.literal("").transform(() => [])]).optional(),
});
export type FoundItem = z.infer<typeof FoundItem>;

/** `total` is null where Request Tracker checks rights ticket by ticket and will not say. */
const SearchResponse = z.object({ total: z.unknown(), items: z.array(FoundItem) });

/** What one search says. Only `none` says that no ticket matches. */
export type SearchResult =
  | { outcome: "found"; number: string }
  | { outcome: "none" }
  | { outcome: "unclear" };

/** The number of the ticket that an answer to a creation names, or null. */
export function parseCreatedTicketNumber(json: unknown): string | null {
  const answer = CreatedResponse.safeParse(json);
  return answer.success ? answer.data.id : null;
}

/**
 * Reads the answer to a search. The oldest ticket that `isOurs` wins. Hits of which none is ours
 * are not `none`: the desk has tickets that a person must look at.
 */
export function parseSearchResult(
  json: unknown,
  isOurs: (item: FoundItem) => boolean,
): SearchResult {
  const answer = SearchResponse.safeParse(json);
  if (!answer.success) return { outcome: "unclear" };
  const { total, items } = answer.data;
  const numbers = items.filter(isOurs).map((item) => item.id);
  if (numbers.length > 0) {
    return { outcome: "found", number: numbers.reduce((a, b) => Number(a) <= Number(b) ? a : b) };
  }
  return { outcome: total === 0 && items.length === 0 ? "none" : "unclear" };
}

/**
 * Whether a hit of the search by custom field can be the reference's own. A field that is not
 * shown says nothing: the ticket may have been moved to a queue without it, or our user may not
 * see it. One that is shown without the reference says that the desk ignored the condition.
 */
export function matchesField(field: string, reference: Reference): (item: FoundItem) => boolean {
  return ({ CustomFields }) => {
    const shown = CustomFields?.find(({ name }) => name === field);
    return shown === undefined || shown.values.includes(reference);
  };
}

const ANY_REFERENCE = /SR-[0-7][0-9A-HJKMNP-TV-Z]{25}/i;

/**
 * Whether a hit of the search by subject was made for the reference: the first one in a subject
 * is the ticket's own. A later one is a person's, as in "[SR-…2] again, as in SR-…1". The desk
 * searches without regard to case, and agents may write words before the reference.
 */
export function matchesSubject(reference: Reference): (item: FoundItem) => boolean {
  return ({ Subject }) => Subject?.match(ANY_REFERENCE)?.[0].toUpperCase() === reference;
}
