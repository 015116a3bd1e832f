import manifest from "./deploy/production.json" with { type: "json" };

/** The version of this Deskhand. A test keeps it equal to the one in deno.json. */
export const VERSION: string = manifest.version;
