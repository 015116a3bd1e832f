// The standard library's assertions from its npm mirror, which has no types of its own. Where JSR
// is at hand, map "@std/assert" to "jsr:@std/assert@1" in deno.json and delete these two files.
// @ts-types="./std_assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
