/** WebKitGTK's MiniBrowser on a display without a screen, driven over W3C WebDriver. */

const MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const START_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 30_000;

/** An error of WebDriver, such as `element click intercepted`. */
export class DriverError extends Error {
  override name = "DriverError";
}

/** One session of a browser, with one window. */
export interface Session extends AsyncDisposable {
  /** Calls a command of the session. @throws {DriverError} if the driver rejects it. */
  call(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown>;
}

/**
 * Starts a display, the driver and a browser.
 *
 * @throws if one of them is not installed, or does not start within 30 seconds.
 */
export async function startSession(): Promise<Session> {
  const display = spawn("Xvfb", [
    ...["-displayfd", "1", "-screen", "0", "1400x1100x24", "-nolisten", "tcp"],
  ], {});
  const number = await firstLine(display.stdout);
  const port = freePort();
  const driver = spawn("WebKitWebDriver", [`--port=${port}`], {
    DISPLAY: `:${number}`,
    // The sandbox needs privileges that root in a container does not have.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
    LIBGL_ALWAYS_SOFTWARE: "1",
    NO_AT_BRIDGE: "1",
  });
  async function stop() {
    for (const process of [driver, display]) {
      try {
        process.kill();
      } catch {
        // It has ended.
      }
      await process.stdout.cancel();
      await process.status;
    }
  }
  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const { value } = await response.json();
    if (!response.ok) throw new DriverError(`${path}: ${value.error}: ${value.message}`);
    return value;
  }
  try {
    await isReady(() => call("GET", "/status"));
    const options = { binary: MINI_BROWSER, args: ["--automation"] };
    const alwaysMatch = { "webkitgtk:browserOptions": options };
    const session = await call("POST", "/session", { capabilities: { alwaysMatch } });
    const root = `/session/${(session as { sessionId: string }).sessionId}`;
    return {
      call: (method, path, body) => call(method, root + path, body),
      async [Symbol.asyncDispose]() {
        await call("DELETE", root).catch(() => {});
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function spawn(command: string, args: string[], env: Record<string, string>) {
  try {
    return new Deno.Command(command, { args, env, stdout: "piped", stderr: "null" }).spawn();
  } catch (cause) {
    const message = `Cannot test in WebKit: install Debian's packages webkit2gtk-driver and xvfb`;
    throw new Error(message, { cause });
  }
}

async function firstLine(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stdout.getReader();
  const timer = setTimeout(() => reader.cancel(), START_TIMEOUT_MS);
  const { value } = await reader.read();
  clearTimeout(timer);
  reader.releaseLock();
  if (!value) throw new Error("Xvfb did not start");
  return new TextDecoder().decode(value).trim();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isReady(probe: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (true) {
    try {
      await probe();
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw new Error("WebKitWebDriver did not start", { cause });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
