/// <reference lib="deno.worker" />
/** A thread that asks for `/livez` until it is told to stop, and says how long the longest took. */
let isOver = false;

self.onmessage = async ({ data }) => {
  if (data === "stop") {
    isOver = true;
    return;
  }
  let ms = 0;
  let isReady = false;
  while (!isOver) {
    const started = performance.now();
    const response = await fetch(`${data}/livez`, { signal: AbortSignal.timeout(30_000) });
    await response.text();
    // The first one opens the connection.
    if (isReady) ms = Math.max(ms, performance.now() - started);
    else self.postMessage({ name: "ready" });
    isReady = true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  self.postMessage({ name: "done", ms });
};
