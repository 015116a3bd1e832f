/** The script `/panel.js`: `<support-request-panel>` for pages without a build step. */
import { define } from "./define.ts";
import { rememberScript } from "./script_url.ts";

rememberScript();
define();
