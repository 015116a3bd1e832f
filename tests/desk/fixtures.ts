import type { RequestTrackerSettings } from "../../desk/request_tracker.ts";

export const OTHER_REFERENCE = "SR-01K9ABCDEFGHJKMNPQRSTVWXYY";

export const settings: Omit<RequestTrackerSettings, "url"> = {
  token: "demo-token",
  queue: "Support",
  label: "Acme IT desk",
  referenceField: "SupportRef",
};
