/**
 * What an error of KV says. What a KV Connect server answered, which the runtime quotes last, is
 * left out: it could be anything.
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
 * Names why a connection could not be made, or returns null. The text itself can quote a server's
 * certificate, so none of it is passed on.
 */
function connectionFault(text: string): string | null {
  if (text.includes("dns error")) return "the name does not resolve";
  if (text.includes("Connection refused")) return "connection refused";
  if (/certificate|tls|corrupt message/i.test(text)) return "the TLS handshake failed";
  return text.includes("client error (Connect)") ? "no connection" : null;
}
