import { assertEquals } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import { generateReference } from "../../domain/model/reference.ts";
import { supportRequest } from "../support/records.ts";
import { startRequestTracker } from "./instance.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

Deno.test("findTicket finds today's ticket, and no older one, in every time zone", async () => {
  await using tracker = await startRequestTracker();
  const { url, token, queue, referenceField } = tracker;
  const desk = createRequestTracker({ url, token, queue, referenceField, label: "Desk" }, fetch);
  const signal = () => AbortSignal.timeout(5000);
  const request = { ...supportRequest(), reference: generateReference(1) };
  assertEquals((await desk.createTicket(request, signal())).outcome, "created");

  for (const zone of ["UTC", "Etc/GMT+12", "Pacific/Kiritimati"]) {
    await tracker.setTimeZone(zone);
    // The desk's clock may be a day behind. A request four days later had another ticket.
    for (const [days, outcome] of [[0, "found"], [1, "found"], [4, "absent"]] as const) {
      const createdAt = new Date(Date.now() + days * DAY_MS).toISOString();
      const lookup = await desk.findTicket({ ...request, createdAt }, signal());
      assertEquals(lookup.outcome, outcome, `${zone}, ${days} days`);
    }
  }
});
