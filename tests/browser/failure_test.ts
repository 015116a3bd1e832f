/// <reference lib="dom" />
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { exampleProblem } from "../../routes/openapi/problem_responses.ts";
import { waitFor } from "../support/wait_for.ts";
import { FAULTS, useStageTests, WEBKIT_LACKS } from "./suite.ts";
import { type Stage } from "./stage.ts";
import { fillIn, loseResponses } from "./states.ts";

const test = useStageTests({ forbids: FAULTS });

/** Waits for the result, and returns its headline. */
const headline = ({ panel }: Stage) => panel.result.locator("#headline").innerText();

const isFocused = (element: { matches(selector: string): boolean }) => element.matches(":focus");

async function assertDraftKept({ panel }: Stage) {
  assertEquals(await panel.field("Summary").inputValue(), "The nightly import stops at row 40,000");
  assertEquals(
    await panel.field(/Description/).inputValue(),
    "Since Monday.\nThe log ends with a timeout.",
  );
  assertEquals(await panel.field("Severity").inputValue(), "high");
  assertEquals(await panel.field(/Your email/).inputValue(), "ada@acme.example");
}

const MAY_BE_SAVED =
  "Your request may already be saved. Send it again unchanged; it won’t be saved twice.";

test("a desk that hangs gets five seconds, and the person is told meanwhile", async (stage) => {
  const { panel, desk, posts } = stage;
  desk.behave("hang");
  await panel.open();
  await fillIn(stage);
  const start = performance.now();
  await panel.send.click();
  await panel.button("Sending…").waitFor();
  const patience = "This can take a few seconds. What you typed won’t be lost.";
  assertEquals(await panel.status.textContent(), patience);
  await panel.dialog.locator("#progress").getByText(patience).waitFor();
  assertEquals(await panel.send.getAttribute("aria-disabled"), "true");
  assert(await panel.send.evaluate(isFocused));
  // Not disabled, but nothing is sent twice.
  await panel.send.press("Enter");
  assertEquals(await headline(stage), "Saved; we could not confirm the ticket");
  const seconds = (performance.now() - start) / 1000;
  assert(seconds > 4.9 && seconds < 8, `${seconds} s`);
  assertEquals(posts.length, 1);
  const sentences = "Acme IT desk did not respond in time. " +
    "Look for a ticket at Acme IT desk. Link it, or send your request again.";
  await panel.result.getByText(sentences).waitFor();

  // What the sentence asks for is one button away.
  await panel.button("Link the ticket").click();
  assert(await panel.field("Which ticket?").evaluate(isFocused));
  await assertDraftKept(stage);
  await panel.field("Which ticket?").fill("7");
  await panel.send.click();
  await panel.result.getByRole("link", { name: "Open ticket #7" }).waitFor();
}, { env: { SUPPORT_DESK_TIMEOUT_MS: "5000" } });

test("a desk that denies access is named, and the request can be sent again", async (stage) => {
  const { panel, desk } = stage;
  desk.behave("refuse");
  await panel.open();
  await fillIn(stage);
  await panel.send.click();
  assertEquals(await headline(stage), "Saved; the ticket could not be created");
  await panel.result.getByText("Acme IT desk denied access.").waitFor();
  desk.behave("normal");
  await panel.button("Send again").click();
  await assertDraftKept(stage);
  await panel.send.click();
  await panel.result.getByRole("link", { name: "Open ticket #1" }).waitFor();
  assertEquals(await stage.countStored(), 2);
});

test("what is missing is described at its field, counted, and not sent", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await panel.field("Send to").selectOption("link");
  await panel.send.click();
  const summary = panel.field("Summary");
  assertEquals(await summary.getAttribute("aria-invalid"), "true");
  assert(await summary.evaluate(isFocused));
  assertEquals(
    await panel.dialog.locator("#summary-error").innerText(),
    "Describe the problem in one line.",
  );
  assertEquals(await panel.alert.innerText(), "Fields to correct: 2");
  assertEquals(await panel.alert.getAttribute("role"), "alert");
  assertEquals(posts, []);
  await summary.fill("Now it is there");
  assertEquals(await summary.getAttribute("aria-invalid"), "false");
});

test("fields that the service rejects are described, and the first has the focus", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.field(/Your email/).fill("ada@acme@x");
  await panel.send.click();
  await panel.dialog.getByText("Enter an email address such as ada@example.com.").waitFor();
  const email = panel.field(/Your email/);
  assertEquals(await email.getAttribute("aria-invalid"), "true");
  assert((await email.getAttribute("aria-describedby"))!.includes("email-error"));
  assert(await email.evaluate(isFocused));

  await email.fill("ada@acme.example");
  await panel.field("Send to").selectOption("link");
  await panel.field("Which ticket?").fill("not a ticket");
  await panel.send.click();
  await panel.dialog.getByText("Enter a ticket number or URL at Acme IT desk.").waitFor();
  assert(await panel.field("Which ticket?").evaluate(isFocused));
  assertEquals(await stage.countStored(), 0);
});

test("a text that is too long is described and never cut", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  // Characters, not UTF-16 units.
  await panel.field("Summary").fill("🛟".repeat(200));
  await panel.field(/Description/).fill("x".repeat(8001));
  await panel.send.click();
  await panel.dialog.getByText("Too long: 8001 characters (maximum 8000).").waitFor();
  assertEquals((await panel.field(/Description/).inputValue()).length, 8001);
  assertEquals(posts, []);
  await panel.field(/Description/).fill("x".repeat(8000));
  await panel.send.click();
  await headline(stage);
  assertEquals(posts[0]!.body.summary, "🛟".repeat(200));
});

test("a service that is down loses nothing that was typed", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await stage.stop();
  await panel.send.click();
  await panel.alert.getByText("The support service could not be reached.").waitFor();
  await panel.alert.getByText(MAY_BE_SAVED).waitFor();
  await assertDraftKept(stage);
  await page.keyboard.press("Escape");
  await panel.dialog.waitFor({ state: "hidden" });
  await panel.open();
  await assertDraftKept(stage);
  await stage.start();
  await panel.send.click();
  await headline(stage);
  assertEquals(await stage.countStored(), 1);
});

test("without a network, the person reads that they are offline", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await page.evaluate("panel.getToken = () => 'a token'");
  await page.context().setOffline(true);
  await panel.send.click();
  await panel.alert.getByText("You are offline.").waitFor();
  await assertDraftKept(stage);
}, { not: { webkit: WEBKIT_LACKS.offline } });

test("an unavailable store is described with the request id, and retried with one key", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await fillIn(stage);
  stage.closeStore();
  await panel.send.click();
  await panel.alert.getByText("The support service had an error.").waitFor();
  await panel.alert.getByText(MAY_BE_SAVED).waitFor();
  assertEquals((await panel.alert.locator("code").innerText()).length, 36);
  await assertDraftKept(stage);
  await panel.button("Try again").click();
  await waitFor("a second submission", () => posts.length === 2);
  await panel.button("Try again").waitFor();
  assertEquals(posts[0]!.key, posts[1]!.key);
});

/** Responds to submissions with redirects, each of another status, that the page could follow. */
function createRedirects() {
  const statuses = [301, 302, 303, 307, 308];
  let count = 0;
  return (request: Request): Response | undefined => {
    const { pathname } = new URL(request.url);
    const isTarget = pathname === "/elsewhere";
    const isSubmission = request.method === "POST" && pathname.endsWith("/support-requests");
    if (!isTarget && !isSubmission) return;
    const headers = {
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
      "Location": "/elsewhere",
    };
    const status = isTarget ? 204 : statuses[count++ % statuses.length]!;
    return new Response(null, { status, headers });
  };
}

test(
  "a redirect is not followed with the token and the request, and the console says so",
  async (stage) => {
    const { panel, requested, complaints } = stage;
    await panel.open();
    await fillIn(stage);
    const loaded = requested.length;
    for (let sent = 1; sent <= 5; sent++) {
      await panel.send.click();
      await waitFor("a submission", () => requested.length >= loaded + sent);
      await panel.alert.getByText("The support service sent an unexpected response.").waitFor();
      await panel.dialog.locator("#send[aria-disabled=false]").waitFor({ state: "attached" });
    }
    assertEquals(requested.filter((url) => url.endsWith("/elsewhere")), []);
    const reports = () =>
      complaints.filter((text) => text.includes("redirects. Use the URL behind it"));
    await waitFor("the reports", () => reports().length === 5);
    await assertDraftKept(stage);
  },
  { instead: createRedirects() },
);

test("a rejected token and a missing one each have their own sentence", async (stage) => {
  const { panel, page, claims } = stage;
  await panel.open();
  await fillIn(stage);
  claims.lifetime = -60;
  await panel.send.click();
  await panel.alert.getByText("We couldn’t verify who you are. Sign in again.").waitFor();
  for (
    const source of ["Promise.reject(new Error('signed out'))", "''", "null", "({})", "undefined"]
  ) {
    await page.evaluate(`panel.getToken = () => ${source}`);
    await panel.send.click();
    await panel.alert.getByText("This page couldn’t verify who you are. Reload it.").waitFor();
    assertEquals(await panel.send.getAttribute("aria-disabled"), "false");
  }
  assertEquals(stage.posts.length, 1);
  await assertDraftKept(stage);
  claims.lifetime = 60;
  await page.evaluate("panel.getToken = () => fetch('/token').then((response) => response.text())");
  await panel.send.click();
  await headline(stage);
});

test("a page without getToken says so to the person and, in the console, to developers", async (stage) => {
  const { panel, page, complaints } = stage;
  await page.evaluate("panel.getToken = undefined");
  await panel.open();
  await panel.strip.getByText("Support is not set up correctly on this page.").waitFor();
  assert(complaints.some((text) => text.includes("getToken is missing or invalid")));
});

test("a person without access reads that support is not available here", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await panel.strip.getByText("Support is not available here.").waitFor();
}, { claims: { tenants: ["another"] } });

test("a person without permission reads that", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await panel.field("Summary").fill("May I?");
  await panel.send.click();
  await panel.alert.getByText("You don’t have permission to request support here.").waitFor();
}, { claims: { scope: "support_requests:read" } });

test("a busy service has its own sentence, and says that nothing was saved", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await page.route("**/support-requests", (route) =>
    route.fulfill({
      status: 503,
      json: exampleProblem("overloaded"),
      headers: {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": "1",
      },
    }), { times: 1 });
  await panel.send.click();
  await panel.alert.getByText("The support service is busy right now.").waitFor();
  await panel.alert.getByText("Your request was not saved.").waitFor();
  await panel.dialog.locator("#send[aria-disabled=false]").waitFor();
  await panel.send.click();
  await headline(stage);
});

test("after a lost response, no later failure claims that nothing was saved", async (stage) => {
  const { panel, claims } = stage;
  await panel.open();
  await fillIn(stage);
  await loseResponses(stage, 1);
  await panel.send.click();
  await panel.alert.getByText(MAY_BE_SAVED).waitFor();
  claims.lifetime = -60;
  await panel.button("Try again").click();
  await panel.alert.getByText("We couldn’t verify who you are.").waitFor();
  await panel.alert.getByText(MAY_BE_SAVED).waitFor();
  await panel.field("Summary").fill("Another one");
  await panel.send.click();
  await panel.alert.getByText("Your request was not saved.").waitFor();
});

test("a rate limit counts down, and then the request can be sent", async (stage) => {
  const { panel, page, posts } = stage;
  await panel.open();
  await panel.field("Summary").fill("Too fast");
  await page.route("**/support-requests", (route) =>
    route.fulfill({
      status: 429,
      json: {},
      headers: {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": "2",
      },
    }), { times: 1 });
  await panel.send.click();
  await panel.alert.getByText("Too many requests in a short time.").waitFor();
  await panel.alert.getByText("Your request was not saved.").waitFor();
  await panel.dialog.locator("#progress").getByText("Try again in 1 s.").waitFor();
  assertEquals(await panel.send.getAttribute("aria-disabled"), "true");
  await panel.send.dispatchEvent("click");
  assertEquals(posts, []);
  await panel.dialog.locator("#send[aria-disabled=false]").waitFor();
  await panel.send.click();
  await headline(stage);
});

test("after a lost response, the same content has the same key and is stored once", async (stage) => {
  const { panel, page, posts, desk } = stage;
  // What a page collects is of the moment: a retry repeats it, all the same.
  await page.evaluate("panel.diagnostics = () => ({ at: performance.now() })");
  await panel.open();
  await fillIn(stage);
  await loseResponses(stage, 1);
  await panel.send.click();
  await panel.alert.getByText(MAY_BE_SAVED).waitFor();
  await panel.button("Try again").click();
  await headline(stage);
  assertEquals(posts.length, 2);
  assertEquals(posts[0], posts[1]);
  assertEquals(await stage.countStored(), 1);
  assertEquals(desk.tickets.length, 1);
});

test("content that was changed after a lost response has another key", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await panel.field("Summary").fill("One");
  await loseResponses(stage, 2);
  for (const [i, text] of ["One", "Two", "One"].entries()) {
    await panel.field("Summary").fill(text);
    await panel.send.click();
    await waitFor("a submission", () => posts.length === i + 1);
    await panel.dialog.locator("#send[aria-disabled=false]").waitFor({ state: "attached" });
  }
  await headline(stage);
  assertEquals(posts.map(({ body }) => body.summary), ["One", "Two", "One"]);
  assertNotEquals(posts[0]!.key, posts[1]!.key);
  assertEquals(posts[0]!.key, posts[2]!.key);
  assertEquals(await stage.countStored(), 2);
});

test("a submission that is still in progress is waited for", async (stage) => {
  const { panel, page, desk, posts } = stage;
  desk.behave("hang");
  await panel.open();
  await fillIn(stage);
  await loseResponses(stage, 1, true);
  await panel.send.click();
  await waitFor("a stored request", () => stage.countStored(), (count) => count === 1);
  await page.evaluate("lose()");
  await panel.button("Try again").click();
  assertEquals(await headline(stage), "Saved; we could not confirm the ticket");
  // Lost, told to wait, and the response.
  assertEquals(posts.length, 3);
  assertEquals(new Set(posts.map(({ key }) => key)).size, 1);
  assertEquals(await stage.countStored(), 1);
});

test("what is typed while a submission is in progress stays", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await page.route("**/support-requests", async (route) => {
    await panel.field(/Description/).fill("One more thing");
    await route.continue();
  });
  await panel.send.click();
  await headline(stage);
  await panel.button("New request").click();
  assertEquals(await panel.field(/Description/).inputValue(), "One more thing");
});
