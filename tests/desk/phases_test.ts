import { assertEquals } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { CallTrace, CreateTicketResult, FindTicketResult } from "../../domain/ports/desk.ts";
import { settings } from "./fixtures.ts";
import {
  type Behavior,
  closeAfter,
  head,
  respondWith,
  stallAfter,
  startRawServer,
} from "../support/raw_server.ts";
import { supportRequest } from "../support/records.ts";
import { SELF_SIGNED } from "../support/self_signed.ts";

function traceOf(result: CreateTicketResult | FindTicketResult): CallTrace | undefined {
  return "trace" in result ? result.trace : undefined;
}

/** Returns the traces of a creation and a lookup at the desk with this URL. */
async function traces(url: string, timeoutMs = 5000): Promise<(CallTrace | undefined)[]> {
  const desk = createRequestTracker({ ...settings, url }, fetch);
  const creation = await desk.createTicket(supportRequest(), AbortSignal.timeout(timeoutMs));
  const lookup = await desk.findTicket(supportRequest(), AbortSignal.timeout(timeoutMs));
  return [creation, lookup].map(traceOf);
}

/** Starts a TLS server on loopback with an untrusted certificate. */
function startSelfSigned() {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...SELF_SIGNED });
  async function accept(): Promise<void> {
    for (;;) {
      const connection = await listener.accept();
      await connection.handshake().catch(() => {});
      connection.close();
    }
  }
  const accepting = accept().catch(() => {});
  return {
    port: listener.addr.port,
    async close() {
      listener.close();
      await accepting;
    },
  };
}

Deno.test("an unknown name, a closed port and a self-signed certificate are three phases", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  const selfSigned = startSelfSigned();
  try {
    for (
      const [url, phase] of [
        ["http://nonexistent.invalid", "dns"],
        ["https://nonexistent.invalid", "dns"],
        // A word in the URL must not be mistaken for one of the error.
        ["https://dns-error.tunnel.tcp-connect-error.invalid", "dns"],
        [`http://127.0.0.1:${closed.addr.port}`, "connect"],
        [`https://127.0.0.1:${closed.addr.port}/dns%20error`, "connect"],
        ["http://127.0.0.1:6000", "connect"],
        [`https://127.0.0.1:${selfSigned.port}`, "tls"],
        [`https://localhost:${selfSigned.port}/proxy/tunnel`, "tls"],
      ] as const
    ) assertEquals(await traces(url), [{ phase }, { phase }], url);
  } finally {
    await selfSigned.close();
  }
});

Deno.test("a server that does not speak TLS fails in the phase tls", async () => {
  for (const behavior of [respondWith(400), closeAfter("")]) {
    const hostile = startRawServer(behavior);
    try {
      const url = hostile.url.replace("http:", "https:");
      assertEquals(await traces(url), [{ phase: "tls" }, { phase: "tls" }]);
    } finally {
      await hostile.close();
    }
  }
});

function row(what: string, behavior: Behavior, creation: CallTrace, lookup: CallTrace) {
  Deno.test(`a desk that ${what} fails in the phase ${creation.phase}`, async () => {
    const hostile = startRawServer(behavior);
    try {
      assertEquals(await traces(hostile.url, 200), [creation, lookup]);
    } finally {
      await hostile.close();
    }
  });
}

const search = (deskStatus?: number): CallTrace => ({
  phase: "search",
  ...deskStatus !== undefined && { deskStatus },
});

row("hangs", stallAfter(""), { phase: "request" }, search());
row("closes without a response", closeAfter(""), { phase: "request" }, search());
for (const status of [302, 400, 403, 429, 500, 503]) {
  const trace = { phase: "response", deskStatus: status } as const;
  row(`responds with ${status}`, respondWith(status), trace, search(status));
}
const page = respondWith(201, "<h1>Hello</h1>");
row("sends a page", page, { phase: "response", deskStatus: 201 }, search(201));
const stalling = stallAfter(head(201, 100) + "{");
row("stalls in the body", stalling, { phase: "response", deskStatus: 201 }, search(201));
const cut = closeAfter(head(201, 100) + "{");
row("closes in the body", cut, { phase: "response", deskStatus: 201 }, search(201));
