/// <reference lib="dom" />
import { callDocument, currentScript } from "./dom.ts";

let serviceUrl = "about:blank";

/** Returns the URL of the service that the panel's script came from. */
export function scriptService(): string {
  return serviceUrl;
}

/** Remembers where the script that is running came from, which only it knows, and only now. */
export function rememberScript(): void {
  // A module has no current script.
  const script = currentScript() ??
    callDocument("querySelector", "script[src*='/panel.js'], script[src*='/panel/']");
  if (!(script instanceof HTMLScriptElement)) return;
  serviceUrl = script.src.replace(/panel(\/\w+)?\.js([?#].*)?$/, "") || serviceUrl;
}
