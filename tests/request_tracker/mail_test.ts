import { assertEquals, assertStringIncludes } from "@std/assert";
import { createRequestTracker } from "../../desk/request_tracker.ts";
import type { RequestorSource } from "../../desk/ticket_fields.ts";
import { generateReference } from "../../domain/model/reference.ts";
import { supportRequest } from "../support/records.ts";
import { startRequestTracker } from "./instance.ts";

const TYPED = "grace@typed.example";
const VERIFIED = "ada@verified.example";
const SECRET = "the words of the request";

/** Returns the recipients of messages, from their headers. */
function recipients(messages: string[]): string[] {
  return messages.map((message) => message.split(/\r?\n\r?\n/, 1)[0]!)
    .flatMap((headers) => [...headers.matchAll(/^(?:To|Cc|Bcc): (.*)$/gm)])
    .map(([, address]) => address!.trim());
}

Deno.test("Request Tracker mails verified addresses only, unless configured otherwise", async () => {
  await using tracker = await startRequestTracker({ sendsMail: true });
  const { url, token, queue, referenceField } = tracker;
  /** Returns the mail that one new ticket causes. */
  async function mailFor(requestor: RequestorSource | undefined, requestorEmail?: string) {
    const before = (await tracker.mail()).length;
    const settings = { url, token, queue, referenceField, requestor, label: "Desk" };
    const request = {
      ...supportRequest({ contact: { name: "Grace", email: TYPED }, requestorEmail }),
      reference: generateReference(Date.now()),
      description: SECRET,
    };
    const creation = await createRequestTracker(settings, fetch)
      .createTicket(request, AbortSignal.timeout(5000));
    assertEquals(creation.outcome, "created");
    return (await tracker.mail()).slice(before);
  }

  // By default, Request Tracker mails the whole text to the requestor.
  const verified = await mailFor("token", VERIFIED);
  assertEquals(recipients(verified), [VERIFIED]);
  assertStringIncludes(verified.join(), SECRET);
  // A typed address gets no mail.
  assertEquals(await mailFor("token"), []);
  assertEquals(await mailFor(undefined), []);
  assertEquals(await mailFor("none", VERIFIED), []);
  assertEquals(recipients(await mailFor("contact", VERIFIED)), [TYPED]);
});
