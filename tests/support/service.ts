import { captureLog } from "./log.ts";
import { parseConfig } from "../../config/config.ts";
import { InFlightTracker } from "../../domain/in_flight.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { compose } from "../../main.ts";
import { assertDocumented } from "./response_validator.ts";
import { mintToken, type TokenClaims } from "../demo/token.ts";
import { FakeClock } from "./clock.ts";
import { AUTH_SECRET } from "./constants.ts";

export interface ServiceOptions {
  /** Variables beside `AUTH_SECRET` and `KV_PATH`. */
  env?: Record<string, string>;
  /** Left open when the service is disposed; by default the service has its own KV, in memory. */
  kv?: Deno.Kv;
  clock?: Clock;
}

export interface Call extends RequestInit {
  token?: TokenClaims | string | null;
  json?: unknown;
}

/** The whole service over a real KV, without a socket. */
export async function openService(
  { env, kv, clock = new FakeClock({ now: "real" }) }: ServiceOptions = {},
) {
  const handle = kv ?? await Deno.openKv(":memory:");
  const { log, lines } = captureLog();
  const config = parseConfig({
    AUTH_SECRET,
    KV_PATH: "in-memory.kv",
    RATE_LIMIT_PER_MINUTE: "0",
    ...env,
  });
  const inFlight = new InFlightTracker();
  const app = await compose(config, { kv: handle, log, clock, fetch, inFlight });
  const respond = app.fetch;
  // Validates every response, by `app.request` and over a socket, against the OpenAPI document.
  app.fetch = async (request, ...others) => {
    const response = await respond(request, ...others);
    await assertDocumented(request, response);
    return response;
  };

  /** Calls with a token for the tenant `acme` and all scopes, or with the given one. */
  async function call(path: string, { token = {}, json, ...init }: Call = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (token !== null) {
      // By the service's clock, which a test may have set back.
      const issuedAt = Math.floor(clock.now() / 1000);
      const bearer = typeof token === "string"
        ? token
        : await mintToken(AUTH_SECRET, { issuedAt, ...token });
      headers.set("Authorization", `Bearer ${bearer}`);
    }
    if (json === undefined) return await app.request(path, { ...init, headers });
    if (!headers.has("Content-Type")) headers.set("Content-Type", "application/json");
    return await app.request(path, {
      method: "POST",
      body: JSON.stringify(json),
      ...init,
      headers,
    });
  }

  return {
    app,
    call,
    kv: handle,
    lines,
    inFlight,
    async [Symbol.asyncDispose]() {
      await inFlight.drained();
      if (kv === undefined) handle.close();
    },
  };
}
