/** The script `/panel.js`: `<support-request-panel>` for a page that has no build of its own. */
import { define } from "./define.ts";
import { rememberScript } from "./script_url.ts";

rememberScript();
define();
