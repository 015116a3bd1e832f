/**
 * Returns the message of a KV error without the response of a KV Connect server. The runtime appends
 * that response to its message, and it could contain anything.
 */
export function kvErrorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const fault = error instanceof Error && error.cause instanceof Error
    ? connectionFault(error.cause.message)
    : null;
  return message.replace(/(\bstatus[ =]\d{3}[^:]*|Failed to fetch metadata):.*/s, "$1") +
    (fault === null ? "" : `: ${fault}`);
}

/**
 * Returns why a connection could not be established, or null. The text itself can quote a server's
 * certificate, so no part of it is returned.
 */
function connectionFault(text: string): string | null {
  if (text.includes("dns error")) return "the host name does not resolve";
  if (text.includes("Connection refused")) return "connection refused";
  if (/certificate|tls|corrupt message/i.test(text)) return "the TLS handshake failed";
  return text.includes("client error (Connect)") ? "no connection" : null;
}
