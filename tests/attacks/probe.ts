/// <reference lib="deno.worker" />
/** A thread that calls `/livez` until it is stopped, and reports the longest duration. */
let isStopped = false;

self.onmessage = async ({ data }) => {
  if (data === "stop") {
    isStopped = true;
    return;
  }
  let ms = 0;
  let isReady = false;
  while (!isStopped) {
    const started = performance.now();
    const response = await fetch(`${data}/livez`, { signal: AbortSignal.timeout(30_000) });
    await response.text();
    // The first call opens the connection.
    if (isReady) ms = Math.max(ms, performance.now() - started);
    else self.postMessage({ name: "ready" });
    isReady = true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  self.postMessage({ name: "done", ms });
};
