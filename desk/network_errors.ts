import type { Phase } from "../domain/ports/desk.ts";

/**
 * Returns the phase in which a `fetch` failed without having sent anything, or null if the request
 * may have been sent.
 *
 * Deno's network errors have no code. They can only be distinguished by the message (up to Deno 2.5)
 * or the cause's message (later). The URL, which is quoted before the details, cannot match by
 * accident, because it contains no spaces. Callers must not log or return the message itself.
 */
export function phaseBeforeSending(error: unknown, url: string): Phase | null {
  if (error instanceof Deno.errors.NotCapable || isBlockedPort(error)) return "connect";
  // DENO_CERT or DENO_TLS_CA_STORE is unusable: Deno then sends no request at all, not even by
  // http.
  if (isCertificateStoreError(error)) return "tls";
  const detail = connectErrorDetail(error);
  if (detail === undefined) return null;
  if (detail.includes("dns error")) return "dns";
  // After the TCP connection and a proxy's tunnel, only the TLS handshake is left. Its errors have
  // many texts: "invalid peer certificate", "received corrupt message", "tls handshake eof".
  const isTls = url.startsWith("https:") && !isProxyError(detail) &&
    !detail.includes("tcp connect error");
  return isTls ? "tls" : "connect";
}

/**
 * Returns the text of an error of DNS, TCP, TLS or a proxy, without the URL; otherwise undefined.
 */
export function connectErrorDetail(error: unknown): string | undefined {
  return /client error \(Connect\)(.*)/s.exec(textOf(error))?.[1];
}

/** Whether a detail of a connect error is about a proxy, not about the server itself. */
export function isProxyError(detail: string): boolean {
  return /tunnel|proxy|socks/i.test(detail);
}

/** Whether Deno rejected the port, as browsers do with ports of other protocols. */
export function isBlockedPort(error: unknown): boolean {
  return /Requests to port \d+ are blocked/.test(textOf(error));
}

/** Whether Deno failed to load its certificate authorities. Network errors are `TypeError`s. */
export function isCertificateStoreError(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TypeError) &&
    /\bCA file\b|\bcertificate store\b/.test(error.message);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return `${error.message}\n${error.cause instanceof Error ? error.cause.message : ""}`;
}
