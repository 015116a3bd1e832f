/// <reference lib="dom" />

/** Where the script came from, which is where the service is unless the page names another. */
let url = "about:blank";

/** Returns the folder that the panel's script was loaded from. */
export function scriptUrl(): string {
  return url;
}

/** Remembers the URL of the script that is running. It is known only while it runs for the first time. */
export function rememberScript(): void {
  // An `<img name="currentScript">` can shadow `document.currentScript`.
  const script = [document.currentScript, document.querySelector("script[src*='/panel.js']")]
    .find((element): element is HTMLScriptElement =>
      element instanceof HTMLScriptElement && element.src !== ""
    );
  if (script) url = new URL(".", script.src).href;
}
