/** A real nginx with the project's configuration, on loopback, as an operator edits it. */
import { freePort } from "./raw_server.ts";
import { waitFor } from "./wait_for.ts";

const NGINX = "/usr/sbin/nginx";
const CONFIGURATION = new URL("../../config/deploy/nginx.conf", import.meta.url);

export interface NginxOptions {
  /** Where Deskhand listens: `http://127.0.0.1:8000`. */
  upstream: string;
  /** Serves Deskhand below `/support/`. */
  hasPrefix?: boolean;
  /** With TLS and a certificate of its own, which {@linkcode Nginx.certificate} contains. */
  hasTls?: boolean;
  /** Further edits of the file: what is there, and what is to be there instead. */
  edits?: [string, string][];
}

/** Starts nginx; resolves when it accepts connections. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const folder = await Deno.makeTempDir({ prefix: "deskhand-nginx-" });
  const [port, plainPort] = [freePort(), freePort()];
  const certificate = options.hasTls ? await makeCertificate(folder) : null;
  const file = `${folder}/nginx.conf`;
  await Deno.writeTextFile(file, await configuration(options, folder, port, plainPort));
  const child = new Deno.Command(NGINX, {
    args: ["-c", file, "-e", `${folder}/error.log`, "-g", "daemon off;"],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const nginx = new Nginx(folder, port, plainPort, certificate, options.hasPrefix === true, child);
  await waitFor("nginx accepts connections", () => isOpen(port));
  return nginx;
}

/** See {@linkcode startNginx}. */
export class Nginx implements AsyncDisposable {
  readonly url: string;
  /** The address that redirects to TLS. */
  readonly plainUrl: string;

  constructor(
    readonly folder: string,
    readonly port: number,
    readonly plainPort: number,
    /** In PEM. */
    readonly certificate: string | null,
    hasPrefix: boolean,
    readonly child: Deno.ChildProcess,
  ) {
    const scheme = certificate === null ? "http" : "https";
    this.url = `${scheme}://localhost:${port}${hasPrefix ? "/support" : ""}`;
    this.plainUrl = `http://localhost:${plainPort}`;
  }

  /** What it has logged at the level `warn` and above. */
  errors(): Promise<string> {
    return Deno.readTextFile(`${this.folder}/error.log`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.child.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function configuration(
  { upstream, hasPrefix, hasTls, edits = [] }: NginxOptions,
  folder: string,
  port: number,
  plainPort: number,
): Promise<string> {
  const listen = hasTls ? `${port} ssl http2` : `${port}`;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ");
  const all: [string, string][] = [
    ["user www-data;", Deno.uid() === 0 ? "user root;" : ""],
    ["/run/nginx.pid", `${folder}/nginx.pid`],
    ["/var/log/nginx/", `${folder}/`],
    ["http {\n", `http {\n  ${temporary}\n`],
    ["server 127.0.0.1:8000", `server ${new URL(upstream).host}`],
    ["listen 443 ssl http2", `listen ${listen}`],
    ["listen 80", `listen ${plainPort}`],
    ["https://deskhand.example", `https://localhost:${port}`],
    ["server_name deskhand.example", "server_name localhost"],
    ["/etc/ssl/deskhand/", `${folder}/`],
    ...hasPrefix
      ? [
        ["location / {", "location /support/ {"],
        ["proxy_pass http://deskhand;", "proxy_pass http://deskhand/;"],
      ] as [string, string][]
      : [],
    ...edits,
  ];
  let text = await Deno.readTextFile(CONFIGURATION);
  for (const [found, replacement] of all) {
    if (!text.includes(found)) throw new Error(`nginx.conf does not contain '${found}'`);
    text = text.replaceAll(found, replacement);
  }
  // Tests use IPv4, which every machine has.
  text = text.replaceAll(/^ *listen \[::\].*$/gm, "");
  // Without TLS there is no certificate to read.
  return hasTls ? text : text.replaceAll(/^ *ssl_(certificate|certificate_key) .*$/gm, "");
}

async function makeCertificate(folder: string): Promise<string> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
      .concat("-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE")
      .concat("-keyout", `${folder}/privkey.pem`, "-out", `${folder}/fullchain.pem`),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${folder}/fullchain.pem`);
}

async function isOpen(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
