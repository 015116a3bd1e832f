/// <reference lib="deno.worker" />
/**
 * A thread that calls `/livez` until it is stopped, and reports the duration of each call, and by how
 * much the machine delayed the thread itself between two calls.
 */
const PAUSE_MS = 10;

let isStopped = false;

self.onmessage = async ({ data }) => {
  if (data === "stop") {
    isStopped = true;
    return;
  }
  const durations: number[] = [];
  const delays: number[] = [];
  let isReady = false;
  while (!isStopped) {
    const started = performance.now();
    const response = await fetch(`${data}/livez`, { signal: AbortSignal.timeout(30_000) });
    await response.text();
    const ended = performance.now();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    // The first call opens the connection.
    if (isReady) {
      durations.push(ended - started);
      delays.push(performance.now() - ended - PAUSE_MS);
    } else self.postMessage({ name: "ready" });
    isReady = true;
  }
  self.postMessage({ name: "done", durations, delays });
};
