import { type Ticket, TicketNumber } from "../domain/model/handoff.ts";

/**
 * Paths of Request Tracker's pages (desktop, mobile, self-service) whose `id` is a ticket number.
 */
const TICKET_PAGE =
  /^\/(?:Ticket\/(?:Display|History|Update|Forward|Reminders|Modify(?:All|Dates|Links|People)?)\.html|SelfService\/(?:Display|Update)\.html|m\/ticket\/(?:show|history|reply))$/;

/** Characters that are invisible in a browser and get copied with adjacent text. */
const INVISIBLE = /\p{Cf}/gu;
/** Punctuation around a number or URL in running text. */
const SURROUNDING_PUNCTUATION = /^[\s<("'“„«]+|[\s>)"'”“».,;:!?]+$/gu;
/** Full-width characters, as East Asian input methods type `#42`. */
const FULL_WIDTH = /[\uff01-\uff5e]/g;
/** `42`, `#42`, `RT#42`, `rt #42`, `Ticket 42` and the page title `#42: The printer is on fire`. */
const NUMBER =
  /^(?:(?:rt|request tracker|ticket|request)[\s:]*){0,2}(?:([0-9]+)|#\s*([0-9]+)(?::\s.*)?)$/is;
/** `[rt.example #42]`, the tag in the subject of Request Tracker's mail. */
const SUBJECT_TAG = /\[[^\[\]#]*#\s*([0-9]+)\s*\]/g;

/** Normalizes the desk's base URL: no credentials, query, fragment or trailing slash. */
export function normalizeBaseUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}

/** Builds a ticket with the URL of its web page from a validated number. */
export function toTicket(baseUrl: string, number: string): Ticket {
  return { reference: number, url: `${baseUrl}/Ticket/Display.html?id=${number}` };
}

/**
 * Parses the ticket that a user has pasted: its number as Request Tracker displays it, the subject
 * of one of its mails, or the URL of one of its pages at this desk. Returns null for anything else.
 * Only the number is used.
 *
 * The name in a subject tag is the desk's `rtname`. It often differs from the host of the desk's
 * URL and is not part of Deskhand's configuration, so it is not compared: the user sees which
 * ticket was linked. A URL identifies its desk, so it must be below `baseUrl`.
 */
export function parseTicketLink(baseUrl: string, text: string): Ticket | null {
  const pasted = text.replace(INVISIBLE, "").replace(SURROUNDING_PUNCTUATION, "");
  const number = pasted.includes("://") ? parseUrl(baseUrl, pasted) : parseNumber(pasted);
  return TicketNumber.safeParse(number).success ? toTicket(baseUrl, number!) : null;
}

/** Returns the digits of a ticket number, or of the only tag in a subject. */
function parseNumber(pasted: string): string | null {
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

function parseUrl(baseUrl: string, text: string): string | null {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return null;
  // Compared after parsing, which resolves dot segments, including percent-encoded ones.
  const page = url.origin + url.pathname;
  if (!page.startsWith(`${baseUrl}/`)) return null;
  if (!TICKET_PAGE.test(page.slice(baseUrl.length))) return null;
  // Request Tracker also accepts ";" as a separator. Parsing it differently could pick another
  // ticket.
  const ids = new Set(new URLSearchParams(url.search.replaceAll(";", "&")).getAll("id"));
  const [id] = ids;
  return ids.size === 1 ? id! : null;
}
