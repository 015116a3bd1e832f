import type { SupportRequestEventMap, SupportRequestPanelElement } from "./index.js";

/** Properties that the element has, of which all but `modes` and `open` are set as they are. */
type Settable =
  | "service"
  | "tenant"
  | "run"
  | "about"
  | "severity"
  | "theme"
  | "position"
  | "getToken"
  | "contact"
  | "diagnostics"
  | "texts";

/** What a template may set on `<support-request-panel>`, in any framework. */
export type PanelProperties =
  & { [Name in Settable]?: SupportRequestPanelElement[Name] | undefined }
  & {
    open?: boolean | undefined;
    /** Words separated by spaces, or an array: `create link none`. */
    modes?: SupportRequestPanelElement["modes"] | string | undefined;
    /** Words separated by spaces: `page-url user-agent`. */
    collect?: string | undefined;
  };

/** The element's events as handlers named `on` and the event's name. */
export type PanelHandlers = {
  [Name in keyof SupportRequestEventMap as `on${Name}`]?:
    | ((event: SupportRequestEventMap[Name]) => void)
    | undefined;
};
