/**
 * What the bare servers share: the same records as Deskhand's with the same checks. As a script, it is
 * the floor: one commit for each submission, without authentication, validation or log.
 */
const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;
/** With the length of a real fingerprint. */
const BY = { actor: { id: "u-1", name: "Ada Lovelace" }, fingerprint: "0".repeat(64) };

type Stored = Record<string, unknown>;
type Context = { kind: string; tenantId: string; runId?: string };

export interface Change {
  checks: Deno.AtomicCheck[];
  sets: [key: Deno.KvKey, value: unknown, options?: { expireIn: number }][];
}
/** Resolves with whether all checks held. */
type Commit = (change: Change) => Promise<boolean>;
type Handler = (request: Request, context: Context) => Promise<Response>;

const kv = await Deno.openKv(Deno.args[0]);
let ts = 0;

/** Commits changes in one atomic operation. */
export async function commitTogether(...changes: Change[]): Promise<boolean> {
  const atomic = kv.atomic();
  for (const { checks, sets } of changes) {
    atomic.check(...checks);
    for (const [key, value, options] of sets) atomic.set(key, value, options);
  }
  return (await atomic.commit()).ok;
}

export function serve(handle: Handler): void {
  const port = Number(Deno.env.get("PORT"));
  Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => {
    const [, , , tenantId = "", kind, runId] = new URL(request.url).pathname.split("/");
    const run = { kind: "run", tenantId, runId };
    return handle(request, kind === "runs" ? run : { kind: "tenant", tenantId });
  });
}

/** Returns the handler of a server without duties. */
export function bare(commit: Commit): Handler {
  return async (request, context) => {
    if (request.method === "GET") return await latest(context);
    return await submit(await request.json(), context, request.headers, commit);
  };
}

/** Stores a submission, or returns what its idempotency key has stored. */
export async function submit(
  { handoff: _, ...submission }: Stored,
  context: Context,
  headers: Headers,
  commit: Commit,
  { actor, fingerprint } = BY,
): Promise<Response> {
  const now = Date.now();
  ts = Math.max(now * 1000, ts + 1);
  const createdAt = new Date(now).toISOString();
  const reference = `SR-${String(ts).padStart(26, "0")}`;
  const handoff = { status: "none" };
  const made = { createdAt, createdBy: actor, handoff };
  const record = { schema: 1, reference, context, ...submission, ...made };
  const type = "request.submitted";
  const event = { event: type, at: createdAt, reference, context, actor, handoff };

  const key = [...prefix(context), ts];
  const { checks, sets }: Change = {
    checks: [{ key, versionstamp: null }],
    sets: [[key, record], [["audit", context.tenantId, ts, reference, type], event]],
  };
  const idempotencyKey = headers.get("Idempotency-Key");
  if (idempotencyKey === null) {
    if (!await commit({ checks, sets })) throw new Error("a sort key was taken");
    return respond(record, 201);
  }
  const claim = ["idempotency", context.tenantId, actor.id, idempotencyKey];
  const expiresAt = now + KEY_LIFETIME_MS;
  const value = { recordKey: key, fingerprint, fingerprintVersion: 2, expiresAt };
  checks.push({ key: claim, versionstamp: null });
  sets.push([claim, value, { expireIn: KEY_LIFETIME_MS }]);
  return await commit({ checks, sets }) ? respond(record, 201) : await replay(claim);
}

async function replay(claim: Deno.KvKey): Promise<Response> {
  const { value } = await kv.get<{ recordKey: Deno.KvKey }>(claim);
  const { value: record } = await kv.get<Stored>(value!.recordKey);
  return respond(record!, 201, { "Idempotent-Replayed": "true" });
}

export async function latest(context: Context): Promise<Response> {
  const latest = kv.list<Stored>({ prefix: prefix(context) }, { limit: 1, reverse: true });
  for await (const { value } of latest) return respond(value, 200);
  return new Response(null, { status: 404 });
}

function prefix({ tenantId, runId }: Context): string[] {
  return runId === undefined ? ["tenant", tenantId] : ["run", `${tenantId}/${runId}`];
}

/** Responds with Deskhand's fields, so that responses have the same length. */
function respond(record: Stored, status: number, headers?: HeadersInit): Response {
  const { reference, context, summary, severity, createdAt, createdBy, handoff } = record;
  const fields = { reference, context, summary, severity, createdAt, createdBy, handoff };
  return Response.json(fields, { status, headers });
}

if (import.meta.main) serve(bare(commitTogether));
