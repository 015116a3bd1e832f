import { assertEquals } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import { generateReference } from "../../domain/model/reference.ts";
import { supportRequest } from "../support/records.ts";
import { startRequestTracker } from "./instance.ts";

const signal = () => AbortSignal.timeout(5000);

Deno.test("findTicket finds a ticket that an agent merged into another", async () => {
  await using tracker = await startRequestTracker();
  const { url, token, queue, referenceField } = tracker;
  const settings = { url, token, queue, referenceField, label: "Desk" };
  const desk = createRequestTracker(settings, fetch);
  const [target, merged] = [generateReference(1), generateReference(2)];
  const createdAt = new Date().toISOString();
  const find = async (reference: string) =>
    (await desk.findTicket({ ...supportRequest(), reference, createdAt }, signal())).outcome;
  for (const reference of [target, merged]) {
    const creation = await desk.createTicket({ ...supportRequest(), reference }, signal());
    assertEquals(creation.outcome, "created");
  }
  const response = await fetch(`${url}/REST/2.0/ticket/2`, {
    method: "PUT",
    headers: { "Authorization": `token ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ MergeInto: "1" }),
  });
  assertEquals(await response.json(), ["Merge Successful"]);

  assertEquals(await find(target), "found");
  assertEquals(await find(merged), "found");
  assertEquals(await find(generateReference(3)), "absent");
});
