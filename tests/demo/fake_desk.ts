/**
 * A fake Request Tracker on loopback, in memory: the part of REST 2.0 that Deskhand uses, and the
 * faults of a real desk to switch between.
 */

/** `slow`, `hang`, `refuse`, `rate-limit` and `rubbish` affect every call, the others only creation. */
export type FakeDeskMode =
  | "normal"
  | "slow" // responds after two seconds
  | "hang" // never responds and creates nothing
  | "hang-after-create" // creates the ticket, but never responds
  | "refuse" // 401
  | "reject" // 400
  | "rate-limit" // 429
  | "error" // 500, and no ticket
  | "error-after-create" // 500, but the ticket exists
  | "rubbish" // HTML with 200
  | "drop-field"; // the reference field is unknown and silently dropped

export interface FakeTicket {
  id: string;
  queue: string;
  subject: string;
  requestor: string;
  priority?: number;
  content: string;
  fields: Record<string, string>;
  /** When it was created, in milliseconds since the epoch. */
  created: number;
}

export interface FakeDesk {
  url: string;
  token: string;
  queue: string;
  /** The tickets, oldest first. A test may add some. */
  tickets: FakeTicket[];
  behave(mode: FakeDeskMode): void;
  /** Ends hanging responses, then stops listening. */
  close(): Promise<void>;
}

const SLOW_MS = 2000;
const MAX_SUBJECT_BYTES = 200;
const STRING = String.raw`'((?:[^'\\]|\\.)*)'`;
const QUERY = new RegExp(
  String
    .raw`^(?:EffectiveId > 0 AND )?(?:Created >= ${STRING} AND )?(?:Queue=${STRING} AND )?(?:CF\.\{([^}]+)\}=|Subject LIKE )${STRING}$`,
);

/** Starts a fake desk on `port`, or on a free one. */
export function startFakeDesk(
  {
    port = 0,
    token = "demo-token",
    queue = "Support",
    referenceField = "SupportRef",
    now = () => Date.now(),
  } = {},
): FakeDesk {
  const tickets: FakeTicket[] = [];
  const closing = new AbortController();
  let mode: FakeDeskMode = "normal";

  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    async (request) => {
      const url = new URL(request.url);
      if (url.pathname === "/") return list();
      if (url.pathname === "/Ticket/Display.html") return page(url.searchParams.get("id"));
      if (mode === "hang") {
        await pause();
        return message(503, "The fake desk is closing");
      }
      const response = fault(request) ?? await respond(request, url);
      if (mode === "slow") await pause(SLOW_MS);
      return response;
    },
  );

  function fault(request: Request): Response | null {
    if (mode === "refuse" || request.headers.get("authorization") !== `token ${token}`) {
      return message(401, "Unauthorized");
    }
    if (mode === "rate-limit") return message(429, "Too Many Requests");
    if (mode === "rubbish") return html(200, "<h1>Down for maintenance</h1>");
    return null;
  }

  async function respond(request: Request, url: URL): Promise<Response> {
    const call = `${request.method} ${url.pathname}`;
    if (call === "POST /REST/2.0/ticket") return await create(request);
    if (call === "GET /REST/2.0/tickets") return search(url.searchParams);
    if (call === "GET /REST/2.0/rt") return Response.json({ Version: "5.0.3 (demo)" });
    const name = /^GET \/REST\/2\.0\/queue\/([^/]+)$/.exec(call)?.[1];
    if (name !== undefined) return showQueue(decodeURIComponent(name));
    const id = /^GET \/REST\/2\.0\/ticket\/(\d+)$/.exec(call)?.[1];
    const ticket = tickets.find((ticket) => ticket.id === id);
    return ticket
      ? Response.json({ ...hit(ticket, "Subject,CustomFields"), Queue: ticket.queue })
      : message(404, "Not Found");
  }

  function showQueue(name: string): Response {
    if (name !== queue) return message(403, "Forbidden");
    const TicketCustomFields = mode === "drop-field" ? [] : [{ name: referenceField }];
    const _hyperlinks = [{ ref: "create", type: "ticket" }];
    return Response.json({ Name: queue, Disabled: "0", TicketCustomFields, _hyperlinks });
  }

  async function create(request: Request): Promise<Response> {
    if (request.headers.get("content-type")?.split(";")[0] !== "application/json") {
      return message(415, "Unsupported Media Type");
    }
    const body = await request.json().catch(() => null);
    if (body === null || mode === "reject") return message(400, "JSON parse error");
    if (mode === "error") return message(500, "Internal Server Error");
    if (body.Queue !== queue) {
      return message(403, `No permission to create tickets in the queue '${body.Queue}'`);
    }
    const value = mode === "drop-field" ? undefined : body.CustomFields?.[referenceField];
    const ticket: FakeTicket = {
      id: String(tickets.length + 1),
      queue,
      subject: cutSubject(body.Subject ?? ""),
      requestor: body.Requestor ?? "",
      priority: body.Priority,
      content: body.Content ?? "",
      fields: value === undefined ? {} : { [referenceField]: value },
      created: now(),
    };
    tickets.push(ticket);
    if (mode === "hang-after-create") await pause();
    return mode === "error-after-create"
      ? message(500, "Internal Server Error")
      : Response.json(hit(ticket), { status: 201 });
  }

  function search(parameters: URLSearchParams): Response {
    const query = QUERY.exec(parameters.get("query") ?? "");
    if (query === null) return message(400, "Wrong query");
    const [since, inQueue, field, value] = query.slice(1).map((text) =>
      text?.replace(/\\(.)/g, "$1")
    );
    const found = tickets.filter((ticket) =>
      (since === undefined || ticket.created >= Date.parse(since)) &&
      (inQueue === undefined || ticket.queue === inQueue) &&
      (field === undefined
        ? ticket.subject.toLowerCase().includes(value!.toLowerCase())
        : ticket.fields[field] === value)
    );
    const items = found.map((ticket) => hit(ticket, parameters.get("fields") ?? ""));
    const counts = { count: items.length, total: items.length, per_page: 20, page: 1 };
    return Response.json({ ...counts, pages: Math.ceil(items.length / 20), items });
  }

  function hit(ticket: FakeTicket, fields = ""): Record<string, unknown> {
    const { id, subject: Subject } = ticket;
    const value = ticket.fields[referenceField];
    const values = value === undefined ? [] : [value];
    const CustomFields = [{ type: "customfield", name: referenceField, values }];
    return {
      id,
      type: "ticket",
      _url: `${desk.url}/REST/2.0/ticket/${id}`,
      ...(fields.includes("Subject") && { Subject }),
      ...(fields.includes("CustomFields") && { CustomFields }),
    };
  }

  function page(id: string | null): Response {
    const ticket = tickets.find((ticket) => ticket.id === id);
    if (ticket === undefined) return html(404, "<h1>No such ticket at the fake desk</h1>");
    const { queue, subject, requestor, content } = ticket;
    return html(
      200,
      `<h1>#${ticket.id}: ${escaped(subject)}</h1>
<p>Queue: ${escaped(queue)}. Requestor: ${escaped(requestor || "none")}.</p>
<pre>${escaped(content)}</pre>`,
    );
  }

  function list(): Response {
    const rows = tickets.toReversed().map(({ id, subject }) =>
      `<li><a href="/Ticket/Display.html?id=${id}">#${id}: ${escaped(subject)}</a></li>`
    );
    return html(
      200,
      `<h1>Tickets, newest first</h1>\n<ul>${rows.join("\n") || "<li>None yet</li>"}</ul>`,
    );
  }

  /** Waits for a time, without one for ever, or until the desk closes. */
  function pause(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      if (closing.signal.aborted) return resolve();
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      closing.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async function close(): Promise<void> {
    closing.abort();
    await server.shutdown();
  }

  const url = `http://127.0.0.1:${server.addr.port}`;
  const desk = { url, token, queue, tickets, behave: (next: FakeDeskMode) => void (mode = next) };
  return { ...desk, close };
}

function message(status: number, text: string): Response {
  return Response.json({ message: text }, { status });
}

function html(status: number, body: string): Response {
  const text = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Demo desk</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1.25rem; overflow-wrap: anywhere }
h1 { font-size: 1.375rem; line-height: 1.3 }
pre { white-space: pre-wrap; font-size: 0.875rem }
a { color: light-dark(#2a5ae0, #86a8ff) }
</style>
<p><strong>This is the demo's fake desk. Nobody reads what is sent to it.</strong> <a href="/">All tickets</a></p>
${body}\n`;
  return new Response(text, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Cuts a subject to 200 bytes, as Request Tracker does: a split character becomes U+FFFD. */
function cutSubject(subject: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(subject).slice(0, MAX_SUBJECT_BYTES));
}
