import { createHmac } from "node:crypto";
import { assertEquals } from "@std/assert";
import { ALL_SCOPES } from "../../demo/token.ts";
import { AUTH_SECRET } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";

const LATEST = "/v1/tenants/acme/support-requests/latest";
const CLAIM = "https://id.example/tenants";

const encode = (text: string) => btoa(text).replaceAll("=", "");

/** Signs a payload as it is, escapes included. */
function sign(payload: string): string {
  const content = `${encode('{"alg":"HS256"}')}.${encode(payload)}`;
  return `${content}.${createHmac("sha256", AUTH_SECRET).update(content).digest("base64url")}`;
}

Deno.test("a forged header does not change how an escaped claim of a token is read", async () => {
  await using service = await openService({ env: { AUTH_TENANTS_CLAIM: CLAIM } });
  // Issuers in PHP escape slashes.
  const escaped = CLAIM.replaceAll("/", String.raw`\/`);
  // What the parser of Deno 2.9.6 confuses with it: as long, and equal to its text so far.
  const confused = JSON.stringify(escaped.slice(0, CLAIM.length));
  const payload = (claim: string) => `{"first":1,${claim}:["acme"],"sub":"u-1","exp":4000000000`;
  for (let i = 0; i < 3; i++) {
    const forged = `${encode(`${payload(confused)},"alg":"HS256"}`)}.e30.AAAA`;
    assertEquals((await service.call(LATEST, { token: forged })).status, 401);
  }
  const token = sign(`${payload(`"${escaped}"`)},"scope":"${ALL_SCOPES}"}`);
  assertEquals((await service.call(LATEST, { token })).status, 200);
});
