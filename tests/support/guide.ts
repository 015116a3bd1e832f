/** The code examples of the guide at `/docs`. */
export interface Example {
  /** What it is: `sh`, `html`, `node` or `client` for code; a schema for a response. */
  kind: string;
  text: string;
}

/** What the guide has instead of the URL of the service. */
export const PLACEHOLDER_URL = "https://deskhand.example";

/** Returns the code in a guide that a reader runs, and the responses that it shows, in their order. */
export function guideExamples(html: string): Example[] {
  const blocks = html.matchAll(
    /<pre[^>]*data-(?:run|shows)="(\w+)"[^>]*><code>([\s\S]*?)<\/code>/g,
  );
  return [...blocks].map(([, kind, code]) => ({ kind: kind!, text: unescapeHtml(code!) }));
}

function unescapeHtml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
