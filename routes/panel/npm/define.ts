/** Defines `<support-request-panel>` when it is imported: `import "@deskhand/panel/define";`. */
import { define } from "./index.ts";

define();
