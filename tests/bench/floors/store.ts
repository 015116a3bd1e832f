/**
 * The minimal service that stores support requests and reads the latest one: the same records as
 * Deskhand's with the same checks, one commit each, without authentication or validation.
 */
const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;
const ACTOR = { id: "u-1", name: "Ada Lovelace" };
/** With the length of a real one. */
const FINGERPRINT = "0".repeat(64);

const kv = await Deno.openKv(Deno.args[0]);
let ts = 0;

const port = Number(Deno.env.get("PORT"));
Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => {
  const [, , , tenantId, kind, runId] = new URL(request.url).pathname.split("/");
  const context = kind === "runs" ? { kind: "run", tenantId, runId } : { kind: "tenant", tenantId };
  const prefix = kind === "runs" ? ["run", `${tenantId}/${runId}`] : ["tenant", tenantId!];
  return request.method === "GET" ? latest(prefix) : submit(request, context, prefix);
});

async function submit(request: Request, context: { tenantId?: string }, prefix: string[]) {
  const { handoff: _, ...submission } = await request.json();
  const now = Date.now();
  ts = Math.max(now * 1000, ts + 1);
  const at = new Date(now).toISOString();
  const reference = `SR-${String(ts).padStart(26, "0")}`;
  const handoff = { status: "none" };
  const record = {
    schema: 1,
    reference,
    context,
    ...submission,
    createdAt: at,
    createdBy: ACTOR,
    handoff,
  };
  const event = { event: "request.submitted", at, reference, context, actor: ACTOR, handoff };

  const key = [...prefix, ts];
  const commit = kv.atomic()
    .check({ key, versionstamp: null })
    .set(key, record)
    .set(["audit", context.tenantId!, ts, reference, event.event], event);
  const idempotencyKey = request.headers.get("Idempotency-Key");
  if (idempotencyKey === null) {
    if (!(await commit.commit()).ok) throw new Error("a sort key was taken");
    return respond(record, 201);
  }
  const claim = ["idempotency", context.tenantId!, ACTOR.id, idempotencyKey];
  const value = {
    recordKey: key,
    fingerprint: FINGERPRINT,
    fingerprintVersion: 2,
    expiresAt: now + KEY_LIFETIME_MS,
  };
  const { ok } = await commit
    .check({ key: claim, versionstamp: null })
    .set(claim, value, { expireIn: KEY_LIFETIME_MS })
    .commit();
  return ok ? respond(record, 201) : await replay(claim);
}

async function replay(claim: Deno.KvKey) {
  const { value } = await kv.get<{ recordKey: Deno.KvKey }>(claim);
  const { value: record } = await kv.get<Record<string, unknown>>(value!.recordKey);
  return respond(record!, 201, { "Idempotent-Replayed": "true" });
}

async function latest(prefix: string[]) {
  for await (
    const { value } of kv.list<Record<string, unknown>>({ prefix }, { limit: 1, reverse: true })
  ) {
    return respond(value, 200);
  }
  return new Response(null, { status: 404 });
}

/** Responds with Deskhand's fields, so that responses have the same length. */
function respond(record: Record<string, unknown>, status: number, headers?: HeadersInit) {
  const { reference, context, summary, severity, createdAt, createdBy, handoff } = record;
  return Response.json({ reference, context, summary, severity, createdAt, createdBy, handoff }, {
    status,
    headers,
  });
}
