/** Validates the environment before `serve` starts, whose permissions are built from `KV_PATH`. */
import { parseConfigOrExit } from "./parse_or_exit.ts";

parseConfigOrExit(Deno.env.toObject());
