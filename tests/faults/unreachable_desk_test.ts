/** What the log says about a desk that cannot be reached, and how to trust a private authority. */
import { assertEquals, assertNotMatch } from "@std/assert";
import { deskEnv, TENANT } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { openService } from "../support/service.ts";
import { startService } from "../support/service_process.ts";
import { SELF_SIGNED } from "../support/self_signed.ts";

/** A desk on loopback whose certificate nobody trusts. */
function startSelfSignedDesk() {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...SELF_SIGNED },
    () => Response.json({ type: "ticket", id: "42" }, { status: 201 }),
  );
}

const CREATE = { summary: "Anybody there?", handoff: { mode: "create" } };

Deno.test("the log distinguishes an untrusted certificate, unknown name and closed port", async () => {
  await using selfSigned = startSelfSignedDesk();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  for (
    const [phase, url] of [
      ["tls", `https://localhost:${selfSigned.addr.port}`],
      ["dns", "https://desk.invalid"],
      ["connect", `http://127.0.0.1:${closed.addr.port}`],
    ] as const
  ) {
    await using service = await openService({ env: deskEnv({ url }) });
    const response = await service.call(TENANT, { json: CREATE });
    const { handoff } = await response.json();
    assertEquals([handoff.reason, handoff.ticketMayExist], ["desk_unreachable", false]);
    const line = service.lines.find(({ event }) => event === "handoff_failed");
    assertEquals([line?.level, line?.reason, line?.phase], ["warn", "desk_unreachable", phase]);
    // The runtime's message quotes the URL and what a server sent.
    assertNotMatch(JSON.stringify(service.lines), /https?:|certificate|os error|lookup/i);
  }
});

Deno.test("a desk's certificate is trusted once DENO_CERT names its authority", async () => {
  await using desk = startSelfSignedDesk();
  await using path = await temporaryPath();
  const authority = `${path.path}.pem`;
  await Deno.writeTextFile(authority, SELF_SIGNED.cert);
  const env = deskEnv({ url: `https://localhost:${desk.addr.port}` });
  await using service = await startService({
    kvPath: path.path,
    env: { ...env, DENO_CERT: authority },
  });
  const { body } = await service.submit(CREATE);
  assertEquals(body.handoff.status, "created");
});

Deno.test("after a DENO_CERT that cannot be read no ticket may exist, and the log says tls", async () => {
  await using path = await temporaryPath();
  await using desk = startSelfSignedDesk();
  const cutOff = `${path.path}.pem`;
  await Deno.writeTextFile(cutOff, SELF_SIGNED.cert.slice(0, 200));
  for (const authority of [`${path.path}.missing`, cutOff]) {
    const service = await startService({
      kvPath: path.path,
      env: { ...deskEnv({ url: `https://localhost:${desk.addr.port}` }), DENO_CERT: authority },
    });
    try {
      const { body } = await service.submit(CREATE);
      const { reason, ticketMayExist } = body.handoff as Record<string, unknown>;
      assertEquals([reason, ticketMayExist], ["desk_unreachable", false]);
      const line = service.output.lines.find(({ event }) => event === "handoff_failed");
      assertEquals([line?.reason, line?.phase], ["desk_unreachable", "tls"]);
    } finally {
      await service.stop();
    }
  }
});
