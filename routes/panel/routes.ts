import { type Context, Hono } from "hono";
import { sha256 } from "../../domain/digest.ts";
import type { Env } from "../http/env.ts";
import { notFound } from "../http/errors.ts";
import { staticFile } from "../http/static_file.ts";
import type { Texts } from "./src/texts/en.ts";

const JAVA_SCRIPT = "text/javascript; charset=utf-8";
const JSON_TYPE = "application/json";

/** Of a URL whose content changes with a release, in seconds. */
const MAX_AGE = 300;
/** Of a URL that names its content: a year, the longest that caches respect. */
const IMMUTABLE_MAX_AGE = 31_536_000;

/** Hex digits of a digest that distinguish one release's script from another's. */
const VERSION_LENGTH = 16;

/** Lets a page of any origin load the file. */
const ANY_ORIGIN = {
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Access-Control-Allow-Origin": "*",
};

/**
 * Serves the panel's script to pages of any origin. Every file is loaded on first use.
 *
 * `/panel.js` is always the current script. `/panel/{version}.js` is the same script under a URL that
 * never changes its content, for pages that pin it; `/panel/integrity.json` says which version that
 * is, and its hash for the attribute `integrity`. `/panel/locales/{language}.json` are the texts of the
 * languages other than English, which the panel loads when it needs them.
 */
export const panelRoutes = new Hono<Env>()
  .get("/panel.js", staticFile(loadScript, { ...ofType(JAVA_SCRIPT), maxAge: MAX_AGE }))
  .get("/panel/integrity.json", staticFile(describeScript, ofType(JSON_TYPE)))
  .get("/panel/locales/de.json", locale(async () => (await import("./src/texts/de.ts")).DE))
  .get("/panel/locales/fr.json", locale(async () => (await import("./src/texts/fr.ts")).FR))
  .get("/panel/locales/es.json", locale(async () => (await import("./src/texts/es.ts")).ES))
  .get("/panel/locales/pt.json", locale(async () => (await import("./src/texts/pt.ts")).PT))
  .get("/panel/locales/ja.json", locale(async () => (await import("./src/texts/ja.ts")).JA))
  .get("/panel/locales/ar.json", locale(async () => (await import("./src/texts/ar.ts")).AR))
  .get("/panel/:script", serveVersion());

function locale(load: () => Promise<Texts>) {
  return staticFile(async () => JSON.stringify(await load()), ofType(JSON_TYPE));
}

function ofType(type: string) {
  return { type, maxAge: MAX_AGE, headers: ANY_ORIGIN };
}

function serveVersion() {
  const script = staticFile(loadScript, {
    ...ofType(JAVA_SCRIPT),
    maxAge: IMMUTABLE_MAX_AGE,
    isImmutable: true,
  });
  return async (c: Context<Env>) => {
    const { version } = await describe();
    // Another release's script is not here: the page that pins it has to be updated.
    if (c.req.param("script") !== `${version}.js`) return notFound(c);
    return await script(c, () => Promise.resolve());
  };
}

let description: Promise<{ version: string; path: string; integrity: string }> | undefined;

function describe() {
  return description ??= loadScript().then(async (script) => {
    const version = sha256(script, "hex").slice(0, VERSION_LENGTH);
    const digest = await crypto.subtle.digest("SHA-384", new TextEncoder().encode(script));
    const integrity = `sha384-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
    return { version, path: `/panel/${version}.js`, integrity };
  });
}

async function describeScript(): Promise<string> {
  return JSON.stringify(await describe());
}

async function loadScript(): Promise<string> {
  const { default: script } = await import("./panel.js", { with: { type: "text" } });
  return script;
}
