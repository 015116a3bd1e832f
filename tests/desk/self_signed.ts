export * from "../support/self_signed.ts";
