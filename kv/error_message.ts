/**
 * What an error of KV says. What a KV Connect server answered, which the runtime quotes last, is
 * left out: it could be anything.
 */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/(\bstatus[ =]\d{3}[^:]*|Failed to fetch metadata):.*/s, "$1");
}
