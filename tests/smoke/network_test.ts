/** What smoke says about a desk, or a Deskhand, that cannot be reached. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SELF_SIGNED } from "../support/self_signed.ts";
import { deskEnv } from "../support/constants.ts";
import { closeAfter, respondWith, stallAfter, startRawServer } from "../support/raw_server.ts";
import {
  AUTHORITY_FILE,
  type Certificate,
  EXPIRED,
  MARKED_AS_AUTHORITY,
  NOT_YET_VALID,
  OTHER_NAME,
  TRUSTED,
} from "./certificates.ts";
import { diagnose, failures, openDeskhand } from "./operator.ts";

/** A server in the place of the desk. */
interface Place extends AsyncDisposable {
  url: string;
}

function hostile(...[behaviour]: Parameters<typeof startRawServer>): Place {
  const { url, close } = startRawServer(behaviour);
  return { url, [Symbol.asyncDispose]: close };
}

function tls({ cert, key }: Certificate): Place {
  const options = { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} };
  const server = Deno.serve(options, () => new Response("hello"));
  const url = `https://127.0.0.1:${server.addr.port}`;
  return { url, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A URL where no server is started. */
function nowhere(url: string): Place {
  return { url, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function closedPort(): Place {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return nowhere(`http://127.0.0.1:${listener.addr.port}`);
}

/** A port whose queue of connections is full, so that the kernel drops packets to it. */
async function droppingPort(): Promise<Place> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const connections: Deno.TcpConn[] = [];
  for (let isFull = false; !isFull;) {
    const signal = AbortSignal.timeout(500);
    await Deno.connect({ hostname: "127.0.0.1", port, signal })
      .then((connection) => connections.push(connection), () => isFull = true);
    assert(connections.length < 10);
  }
  const close = () => {
    for (const connection of connections) connection.close();
    listener.close();
    return Promise.resolve();
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

function withScheme(scheme: string, place: Place): Place {
  const url = place.url.replace(/^https?/, scheme);
  return { url, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** `{host}` stands for host and port. */
const FAULTS: [what: string, open: () => Place | Promise<Place>, cause: string, next: string][] = [
  [
    "a host name that does not exist",
    () => nowhere("https://nonexistent.invalid"),
    "DNS: the host name nonexistent.invalid cannot be resolved ({setting} is {url})",
    "Check the spelling of the host name in {setting}, and this machine's DNS",
  ],
  [
    "a port where nothing listens",
    closedPort,
    "Port: {host} refused the connection, so nothing listens there, or a firewall rejects it " +
    "({setting} is {url})",
    "Start {name}, or correct the port in {setting}. In a container, 127.0.0.1 is the container " +
    "itself",
  ],
  [
    "a port that Deno blocks",
    () => nowhere("http://127.0.0.1:6000"),
    "Port: Deno does not connect to port 6000, which other protocols use ({setting} is {url})",
    "Use another port for {name}, and change {setting}",
  ],
  [
    "a firewall that drops packets",
    droppingPort,
    "Firewall: no connection within 5 s, and no rejection, so packets are dropped ({setting} is {url})",
    "Allow connections from this machine to {host} in every firewall between, and check the address " +
    "and port in {setting}",
  ],
  [
    "a server that hangs",
    () => hostile(stallAfter("")),
    "Timeout: {name} accepted the connection and sent no response within 5 s ({setting} is {url})",
    "Check the load of {name}, its database or disk, and its log",
  ],
  [
    "a server that closes the connection",
    () => hostile(closeAfter("")),
    "{name} closed the connection without a response ({setting} is {url})",
    "Check that {name} is still running, the end of its log, and any proxy in front of it",
  ],
  [
    "a certificate of an unknown authority",
    () => tls(SELF_SIGNED),
    "TLS: the certificate of {host} is signed by an unknown authority ({setting} is {url})",
    "Set DENO_CERT to a file with the certificate of your own authority",
  ],
  [
    "a certificate that is marked as an authority",
    () => tls(MARKED_AS_AUTHORITY),
    "TLS: the certificate of {host} is marked as an authority ({setting} is {url})",
    "Issue one with basicConstraints CA:FALSE, as openssl req -x509 does with -addext " +
    "basicConstraints=critical,CA:FALSE",
  ],
  [
    "https to a port that speaks http",
    () => withScheme("https", hostile(respondWith(400))),
    "TLS: the port speaks no TLS ({setting} is {url})",
    "Use the TLS port in {setting}, or change it to http",
  ],
  [
    "http to a port that speaks TLS",
    () => withScheme("http", tls(TRUSTED)),
    "TLS: the port speaks TLS, and plain http was used ({setting} is {url})",
    "Change {setting} to https",
  ],
];

for (const [what, open, cause, next] of FAULTS) {
  Deno.test(`smoke explains ${what}`, async () => {
    await using place = await open();
    const { url } = place;
    const desk = { url, token: "a-secret-token-of-the-desk", queue: "Support" };
    const found = await diagnose({ url, env: deskEnv(desk) });
    const fill = (text: string, name: string, setting: string) =>
      text.replaceAll("{name}", name).replaceAll("{setting}", setting)
        .replaceAll("{url}", url).replaceAll("{host}", new URL(url).host);
    assertEquals(
      found,
      [
        ["Deskhand responds", "Deskhand", "--url"] as const,
        ["RT can be reached", "RT", "SUPPORT_DESK_URL"] as const,
      ].map(([title, name, setting]) => ({
        title,
        cause: fill(cause, name, setting),
        next: fill(next, name, setting),
      })),
    );
  });
}

const CERTIFICATES: [what: string, certificate: Certificate, cause: string, next: string][] = [
  ["has expired", EXPIRED, "has expired", "Renew it there, or check this machine's clock"],
  ["is not valid yet", NOT_YET_VALID, "is not valid yet", "Check this machine's clock"],
  ["is for another name", OTHER_NAME, "is for another host name", "Use a host name it names"],
];

for (const [what, certificate, cause, next] of CERTIFICATES) {
  Deno.test(`smoke explains a certificate that ${what}`, async () => {
    await using deskhand = await openDeskhand();
    await using place = tls(certificate);
    const env = { ...deskhand.atDesk, SUPPORT_DESK_URL: place.url, DENO_CERT: AUTHORITY_FILE };
    const [failure] = failures((await deskhand.smoke([], {}, env)).stdout);
    assertStringIncludes(
      failure!.cause,
      `TLS: the certificate of ${new URL(place.url).host} ${cause}`,
    );
    assertEquals(failure!.next, next);
  });
}

Deno.test("smoke explains certificate authorities that Deno cannot load", async () => {
  await using deskhand = await openDeskhand();
  const env = { ...deskhand.atDesk, DENO_CERT: "/nonexistent/authority.pem" };
  const { stdout } = await deskhand.smoke([], {}, env);
  assertMatch(failures(stdout)[0]!.cause, /^TLS: Deno cannot load the certificate authorities/);
});

Deno.test("smoke reports the proxy through which a desk cannot be reached", async () => {
  await using deskhand = await openDeskhand();
  await using rejecting = startRawServer(respondWith(403));
  const atDesk = { ...deskhand.atDesk, SUPPORT_DESK_URL: "https://rt.example" };
  const cases: [proxy: string, reason: string][] = [
    [
      rejecting.url.replace("//", "//user:secret-of-the-proxy@"),
      "it rejects connections to rt.example",
    ],
    [closedPort().url, "it refused the connection"],
    ["http://proxy.invalid:3128", "its host name cannot be resolved"],
  ];
  for (const [proxy, reason] of cases) {
    const { stdout } = await deskhand.smoke([], {}, { ...atDesk, HTTPS_PROXY: proxy });
    assertEquals(failures(stdout), [{
      title: "RT can be reached",
      cause: `Proxy: https://rt.example is called through a proxy, and ${reason} ` +
        `(HTTPS_PROXY is ${new URL(proxy).host})`,
      next: "Check the proxy, correct HTTPS_PROXY, or add rt.example to NO_PROXY",
    }]);
  }
});
