import { assertEquals } from "@std/assert";
import { summarizeConfig } from "../../config/summary.ts";
import { DESK, JWKS, parse } from "./fixtures.ts";

Deno.test("the log says where requests go and who may call, without a secret", () => {
  assertEquals(summarizeConfig(parse()), { kv: "file", desk: "none", callers: "AUTH_SECRET" });
  const origins = "https://a.example,https://b.example";
  assertEquals(
    summarizeConfig(parse({
      ...DESK,
      ...JWKS,
      KV_PATH: "https://kv.example/db",
      DENO_KV_ACCESS_TOKEN: "planted",
      CORS_ORIGINS: origins,
    })),
    {
      kv: "connect",
      desk: "https://desk.example/rt",
      queue: "Support",
      callers: "https://id.example",
      origins,
    },
  );
});

Deno.test("the log shows an issuer without a secret in its URL", () => {
  const AUTH_ISSUER = "https://user:planted@planted@id.example/realm?key=planted\nplanted";
  assertEquals(
    summarizeConfig(parse({ ...JWKS, AUTH_ISSUER })).callers,
    "https://…@id.example/realm?…",
  );
});
