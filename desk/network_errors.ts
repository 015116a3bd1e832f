import type { Phase } from "../domain/ports/desk.ts";

/**
 * Returns the phase in which a `fetch` failed without having sent anything, or null if the request
 * may have been sent.
 *
 * Deno's network errors have no code. They can only be told apart by the message (up to Deno 2.5) or
 * the cause's message (later). The URL, which is quoted before the details, cannot match by accident,
 * because it contains no spaces. Callers must not log or return the message itself.
 */
export function phaseBeforeSending(error: unknown, url: string): Phase | null {
  if (error instanceof Deno.errors.NotCapable) return "connect";
  if (!(error instanceof Error)) return null;
  const cause = error.cause instanceof Error ? error.cause.message : "";
  const text = `${error.message}\n${cause}`;
  if (/Requests to port \d+ are blocked/.test(text)) return "connect";
  // DENO_CERT or DENO_TLS_CA_STORE is unusable: Deno then sends no request at all, not even by http.
  if (isCertificateStoreError(error)) return "tls";
  const detail = /client error \(Connect\)(.*)/s.exec(text)?.[1];
  if (detail === undefined) return null;
  if (detail.includes("dns error")) return "dns";
  // After the TCP connection and a proxy's tunnel, only the TLS handshake is left. Its errors have
  // many texts: "invalid peer certificate", "received corrupt message", "tls handshake eof".
  const isTls = url.startsWith("https:") && !/tcp connect error|tunnel|proxy|socks/i.test(detail);
  return isTls ? "tls" : "connect";
}

/** Whether Deno failed to load its certificate authorities. Network errors are `TypeError`s. */
function isCertificateStoreError(error: Error): boolean {
  return !(error instanceof TypeError) && /\bCA file\b|\bcertificate store\b/.test(error.message);
}
