// The image's health check: exits 0 if the service in the same container can store requests. The
// image needs no shell and no curl for it.

// Containers often have HTTP_PROXY, which Deno also uses for loopback addresses: a proxy would respond
// instead of the service.
Deno.env.set("NO_PROXY", "127.0.0.1");
const port = Deno.env.get("PORT") || "8000";
try {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(4_000),
  });
  if (!response.ok) throw new Error(`/readyz responded ${response.status}`);
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
