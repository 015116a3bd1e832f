/** Reads tickets directly from Request Tracker's SQLite database, whatever its server is doing. */
import type { DatabaseSync } from "node:sqlite";

export interface Ticket {
  id: string;
  queue: string;
  subject: string;
  status: string;
  /** A larger number is more urgent. */
  priority: number;
  /** The email addresses of the requestors that Request Tracker stored. */
  requestors: string[];
  /** The text with which the ticket was created. */
  content: string;
  /** The value of the custom field, or null if the ticket has none. */
  reference: string | null;
}

const FIELD_VALUE = `
  SELECT v.Content FROM ObjectCustomFieldValues v JOIN CustomFields f ON f.id = v.CustomField
  WHERE v.ObjectType = 'RT::Ticket' AND v.ObjectId = t.id AND v.Disabled = 0 AND f.Name = :field`;

const REQUESTORS = `
  SELECT json_group_array(u.EmailAddress) FROM Groups g
  JOIN GroupMembers m ON m.GroupId = g.id JOIN Users u ON u.id = m.MemberId
  WHERE g.Domain = 'RT::Ticket-Role' AND g.Name = 'Requestor' AND g.Instance = t.id`;

/** Returns the IDs of tickets with `reference` in the custom field or the subject, oldest first. */
export function findTickets(database: DatabaseSync, field: string, reference: string): string[] {
  return database.prepare(`
    SELECT t.id FROM Tickets t
    WHERE instr(t.Subject, :reference) OR :reference IN (${FIELD_VALUE})
    ORDER BY t.id`).all({ field, reference }).map(({ id }) => String(id));
}

type TicketRow = Record<
  | "subject"
  | "priority"
  | "status"
  | "queue"
  | "content"
  | "encoding"
  | "requestors"
  | "reference",
  string
>;

/** Returns the ticket with this ID. Throws if there is none. */
export function readTicket(database: DatabaseSync, field: string, id: string): Ticket {
  const row = database.prepare(`
    SELECT t.Subject AS subject, t.Priority AS priority, t.Status AS status, q.Name AS queue, a.Content AS content,
      a.ContentEncoding AS encoding, (${REQUESTORS}) AS requestors, (${FIELD_VALUE}) AS reference
    FROM Tickets t JOIN Queues q ON q.id = t.Queue
    JOIN Transactions x ON x.ObjectType = 'RT::Ticket' AND x.ObjectId = t.id AND x.Type = 'Create'
    LEFT JOIN Attachments a ON a.TransactionId = x.id
    WHERE t.id = :id`)
    .get({ id: Number(id), field }) as TicketRow | undefined;
  if (!row) throw new Error(`Cannot find ticket ${id}`);
  const { subject, status, queue, reference } = row;
  return {
    id,
    queue,
    subject,
    status,
    priority: Number(row.priority),
    requestors: JSON.parse(row.requestors),
    content: decode(row.content, row.encoding),
    reference,
  };
}

/** Request Tracker stores non-ASCII text as quoted-printable or base64. */
function decode(content: string | null, encoding: string): string {
  if (content === null || encoding === "none") return content ?? "";
  const binary = encoding === "base64" ? atob(content) : content.replace(/=\n/g, "").replace(
    /=([0-9A-F]{2})/g,
    (_, hex) => String.fromCharCode(parseInt(hex, 16)),
  );
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}
