import type { Context, TypedResponse } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Env } from "./env.ts";
import { withDefaultHeaders } from "./headers.ts";

/**
 * Answers in JSON. Hono's `c.json` goes through `Headers` objects, which takes longer than all else
 * about an answer. `Body` must be what JSON makes of it.
 */
export function json<Body, Status extends ContentfulStatusCode>(
  c: Context<Env>,
  body: Body,
  status: Status,
  headers?: Record<string, string>,
): Response & TypedResponse<Body, Status, "json"> {
  return jsonText(c, JSON.stringify(body), status, headers);
}

/** Answers in JSON that is written already. */
export function jsonText<Body, Status extends ContentfulStatusCode>(
  c: Context<Env>,
  text: string,
  status: Status,
  headers?: Record<string, string>,
): Response & TypedResponse<Body, Status, "json"> {
  const response = new Response(text, {
    status,
    headers: withDefaultHeaders(c, { "Content-Type": "application/json", ...headers }),
  });
  return response as Response & TypedResponse<Body, Status, "json">;
}
