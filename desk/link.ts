import { type Ticket, TicketNumber } from "../domain/model/handoff.ts";

/** The pages of Request Tracker, desktop, mobile and self-service, whose `id` is a ticket's. */
const TICKET_PAGE =
  /^\/(?:Ticket\/(?:Display|History|Update|Forward|Reminders|Modify(?:All|Dates|Links|People)?)\.html|SelfService\/(?:Display|Update)\.html|m\/ticket\/(?:show|history|reply))$/;

/** Invisible in a browser, and copied along with what stands beside them. */
const INVISIBLE = /\p{Cf}/gu;
/** What surrounds a number or a URL in running text. */
const SURROUNDING_PUNCTUATION = /^[\s<("'“„«]+|[\s>)"'”“».,;:!?]+$/gu;
/** As East Asian keyboards type `#42`. */
const FULL_WIDTH = /[\uff01-\uff5e]/g;
/** `42`, `#42`, `RT#42`, `rt #42`, `Ticket 42`, and a page's title, `#42: The printer is on fire`. */
const NUMBER =
  /^(?:(?:rt|request tracker|ticket|request)[\s:]*){0,2}(?:([0-9]+)|#\s*([0-9]+)(?::\s.*)?)$/is;
/** `[rt.example #42]`, as Request Tracker marks the subject of its mail. */
const SUBJECT_TAG = /\[[^\[\]#]*#\s*([0-9]+)\s*\]/g;

/** The desk's address as everything here builds on it: without credentials, query or last slash. */
export function normalizeBaseUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}

/** The ticket with this validated number, and its page for a browser. */
export function toTicket(address: string, number: string): Ticket {
  return { reference: number, url: `${address}/Ticket/Display.html?id=${number}` };
}

/**
 * Returns the ticket that a person means by what they pasted: its number as Request Tracker shows
 * it, the subject of one of its mails, or the URL of one of its pages at this desk; otherwise null.
 * Only the number is used.
 *
 * The name in a subject's tag is the desk's `rtname`. It is often not the host of its URL and is not
 * configured here, so it is not compared: the person sees which ticket was linked. A URL, which
 * names its desk, must be below `address`.
 */
export function parseTicketLink(address: string, text: string): Ticket | null {
  const pasted = text.replace(INVISIBLE, "").replace(SURROUNDING_PUNCTUATION, "");
  const number = pasted.includes("://") ? numberInUrl(address, pasted) : numberIn(pasted);
  return TicketNumber.safeParse(number).success ? toTicket(address, number!) : null;
}

/** The digits of a number, or of the tag of a subject if it has one. */
function numberIn(pasted: string): string | null {
  const ascii = pasted.replace(
    FULL_WIDTH,
    (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0),
  );
  const plain = NUMBER.exec(ascii);
  if (plain !== null) return plain[1] ?? plain[2]!;
  const tagged = new Set(ascii.matchAll(SUBJECT_TAG).map(([, number]) => number!));
  const [number] = tagged;
  return tagged.size === 1 ? number! : null;
}

function numberInUrl(address: string, text: string): string | null {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return null;
  // Compared after parsing, which resolves dot-segments and their encoded forms.
  const page = url.origin + url.pathname;
  if (!page.startsWith(`${address}/`)) return null;
  if (!TICKET_PAGE.test(page.slice(address.length))) return null;
  // Request Tracker takes ";" for "&" too: reading it otherwise could name another ticket.
  const ids = new Set(new URLSearchParams(url.search.replaceAll(";", "&")).getAll("id"));
  const [id] = ids;
  return ids.size === 1 ? id! : null;
}
