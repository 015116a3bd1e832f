/** Types of `<support-request-panel>` for Vue's templates, as `vue-tsc` checks them. */
import type { HTMLAttributes, PublicProps } from "vue";
import type { PanelProperties } from "./attributes.js";
import type { SupportRequestEventMap, SupportRequestPanelElement } from "./index.js";

export * from "./index.js";

type Handlers = {
  [Name in keyof SupportRequestEventMap as `on${Capitalize<Name>}`]?:
    | ((event: SupportRequestEventMap[Name]) => void)
    | undefined;
};

declare module "vue" {
  interface GlobalComponents {
    "support-request-panel": new () => SupportRequestPanelElement & {
      $props:
        & Omit<HTMLAttributes, keyof PanelProperties>
        & PanelProperties
        & Handlers
        & PublicProps;
    };
  }
}
