/** The ceiling with Deskhand's duties for each request, in the least code and without a framework. */
import { createHash } from "node:crypto";
import { jwtVerify } from "jose";
import { openLog } from "../../../config/log.ts";
import { DEFAULT_HEADERS } from "../../../routes/http/headers.ts";
import { AUTH_SECRET } from "../requests.ts";
import { commit } from "./ceiling.ts";
import { latest, serve, submit } from "./store.ts";

type Claims = { sub: string; name: string; tenants: string[]; exp: number };

const SECRET = new TextEncoder().encode(AUTH_SECRET);
/** Characters that Deskhand removes: controls, and those that change the direction of text. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const FIELDS: Record<string, (value: unknown) => boolean> = {
  summary: (value) => isText(value, 200),
  description: (value) => isText(value, 8000),
  severity: (value) => ["low", "normal", "high", "critical"].includes(value as string),
  contact: (value) => isObject(value, (_, text) => isText(text, 120)),
  diagnostics: (value) => isObject(value, (_, text) => isText(text, 2000)),
  handoff: (value) => isObject(value, (name, mode) => name === "mode" && mode === "none"),
};

const log = openLog({ level: "info", isBatched: true }, Date.now);
const verified = new Map<string, Claims>();

serve(async (request, context) => {
  const startedAt = performance.now();
  const { method, headers } = request;
  const requestId = crypto.randomUUID();
  const token = headers.get("Authorization")!.slice("Bearer ".length);
  const known = verified.get(token);
  const isKnown = known !== undefined && known.exp * 1000 > Date.now();
  const { sub, name, tenants } = isKnown ? known : await verify(token);
  if (!tenants.includes(context.tenantId)) return new Response(null, { status: 404 });
  let response;
  if (method === "GET") {
    response = await latest(context);
  } else {
    const body = await request.json();
    const isValid = isObject(body, (name, value) => FIELDS[name]?.(value) ?? false);
    if (!isValid) return new Response(null, { status: 400 });
    const text = JSON.stringify([context, body]);
    const fingerprint = createHash("sha256").update(text).digest("hex");
    const by = { actor: { id: sub, name }, fingerprint };
    response = await submit(body, context, headers, commit, by);
    log.info("request_stored", "Stored", { requestId, ...context, outcome: "none" });
  }
  for (const [name, value] of Object.entries(DEFAULT_HEADERS)) response.headers.set(name, value);
  response.headers.set("X-Request-Id", requestId);
  const ms = Math.round(performance.now() - startedAt);
  const fields = { requestId, ...context, method, status: response.status, ms };
  log.info("request_completed", "Request completed", fields);
  return response;
});

async function verify(token: string): Promise<Claims> {
  const { payload } = await jwtVerify<Claims>(token, SECRET);
  verified.set(token, payload);
  return payload;
}

function isText(value: unknown, max: number): boolean {
  return typeof value === "string" && value.length <= max && !UNSAFE.test(value);
}

function isObject(value: unknown, check: (name: string, value: unknown) => boolean): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(([name, value]) => check(name, value));
}
