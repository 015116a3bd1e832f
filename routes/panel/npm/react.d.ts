/**
 * Types of `<support-request-panel>` for React 18 and 19. React 18 sets attributes only, and no
 * event handlers: set properties such as `getToken`, and listen to events, through a ref.
 */
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { PanelHandlers, PanelProperties } from "./attributes.js";
import type { SupportRequestPanelElement } from "./index.js";

export * from "./index.js";

type ElementProps = DetailedHTMLProps<
  HTMLAttributes<SupportRequestPanelElement>,
  SupportRequestPanelElement
>;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "support-request-panel":
        & Omit<ElementProps, keyof PanelProperties>
        & PanelProperties
        & PanelHandlers;
    }
  }
}
