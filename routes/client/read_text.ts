/**
 * The longest response that is read, in bytes. A page of 100 audit events, each with the longest text,
 * is shorter.
 */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads a response's text. Returns null if it is longer than 4 MiB, and reads no further. */
export async function readText(response: Response, limit: Promise<never>): Promise<string | null> {
  // Absent without a body, and in a runtime whose `fetch` has no streams.
  if (!response.body) return await Promise.race([response.text(), limit]);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    while (true) {
      const { done, value } = await Promise.race([reader.read(), limit]);
      if (done) return text + decoder.decode();
      length += value.length;
      if (length > MAX_BYTES) return null;
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    // Also ends a response that nothing else ends. It may have ended already, or failed.
    reader.cancel().catch(() => {});
  }
}
