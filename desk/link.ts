import { type Ticket, TicketReference } from "../domain/handoff.ts";

/** The pages of Request Tracker 5, desktop, mobile and self-service, whose `id` is a ticket's. */
const TICKET_PAGE =
  /^\/(?:Ticket\/(?:Display|History|Update|Forward|Reminders|Modify(?:All|Dates|Links|People)?)\.html|SelfService\/(?:Display|Update)\.html|m\/ticket\/(?:show|history|reply))$/;

/** The desk's address as everything here builds on it: without credentials, query or last slash. */
export function deskAddress(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}

/** The ticket with this validated number, and its page for a browser. */
export function ticketAt(address: string, number: string): Ticket {
  return { reference: number, url: `${address}/Ticket/Display.html?id=${number}` };
}

/**
 * The ticket that a person means by its number, or by the URL of one of its pages at this desk;
 * otherwise null. Of a URL nothing but the number is kept.
 */
export function linkedTicket(address: string, text: string): Ticket | null {
  const number = TicketReference.safeParse(text).success ? text : numberInUrl(address, text);
  return number === null ? null : ticketAt(address, number);
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
  return ids.size === 1 && TicketReference.safeParse(id).success ? id : null;
}
