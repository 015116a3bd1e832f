/// <reference lib="dom" />
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Browser } from "playwright-core";
import { openStage, type Stage, type StageOptions, until } from "./stage.ts";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { fillIn } from "./states.ts";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser?.close());

function test(name: string, run: (stage: Stage) => Promise<void>, options?: StageOptions) {
  Deno.test(name, UNSANITIZED, async () => {
    await using stage = await openStage(browser, options);
    await run(stage);
  });
}

const done = ({ panel }: Stage) =>
  panel.dialog.getByRole("heading", { name: "Your request is kept" }).waitFor();

async function assertTextKept({ panel }: Stage) {
  assertEquals(
    await panel.field("Summary").inputValue(),
    "The nightly import stops at row 40,000",
  );
  assertEquals(
    await panel.field(/Description/).inputValue(),
    "Since Monday.\nThe log ends with a timeout.",
  );
  assertEquals(await panel.field("Severity").inputValue(), "high");
  assertEquals(await panel.field(/Your email/).inputValue(), "ada@acme.example");
}

const MAY_BE_KEPT =
  "Your request may have been kept. Send it again unchanged: it is not kept twice.";

test("a desk that hangs has five seconds, while the person is told", async (stage) => {
  const { panel, desk, posts } = stage;
  desk.behave("hang");
  await panel.open();
  await fillIn(stage);
  const started = performance.now();
  await panel.send.click();
  await panel.button("Asking Acme IT desk…").waitFor();
  assertEquals(
    await panel.status.innerText(),
    "This can take some seconds. What you typed stays here.",
  );
  assertEquals(await panel.send.getAttribute("aria-disabled"), "true");
  assert(await panel.send.evaluate((button) => button.matches(":focus")));
  // Not disabled, but nothing is sent twice.
  await panel.send.press("Enter");
  await done(stage);
  const seconds = (performance.now() - started) / 1000;
  assert(seconds > 4.9 && seconds < 8, `${seconds} s`);
  assertEquals(posts.length, 1);
  const reference = await panel.card.locator("code").innerText();
  const sentence =
    `Acme IT desk did not respond in time; a ticket may exist. Your request is saved as ` +
    `${reference}. Look for it at the desk, then link it or send it again.`;
  await panel.card.getByText(sentence).waitFor();
  assertEquals(await panel.status.innerText(), sentence);

  // What the sentence asks for is one button away.
  await panel.button("Link the ticket").click();
  assert(await panel.field("Which ticket?").evaluate((field) => field.matches(":focus")));
  await assertTextKept(stage);
  await panel.field("Which ticket?").fill("7");
  await panel.send.click();
  await panel.card.getByRole("link", { name: "Ticket 7" }).waitFor();
}, { env: { SUPPORT_DESK_TIMEOUT_MS: "5000" } });

test("a desk that refuses is told in its sentence, and can be asked again", async (stage) => {
  const { panel, desk } = stage;
  desk.behave("refuse");
  await panel.open();
  await fillIn(stage);
  await panel.send.click();
  await done(stage);
  await panel.card.getByText("Acme IT desk denied access; no ticket was created.").waitFor();
  desk.behave("normal");
  await panel.button("Ask again").click();
  await assertTextKept(stage);
  await panel.send.click();
  await panel.card.getByRole("link", { name: "Ticket 1" }).waitFor();
  assertEquals(await stage.kept(), 2);
});

test("a missing summary is told at its field before anything is sent", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await panel.send.click();
  const summary = panel.field("Summary");
  assertEquals(await summary.getAttribute("aria-invalid"), "true");
  assert(await summary.evaluate((field) => field.matches(":focus")));
  await panel.dialog.getByText("Say in one line what is wrong.").waitFor();
  assertEquals(posts, []);
  await summary.fill("Now it is there");
  assertEquals(await summary.getAttribute("aria-invalid"), "false");
});

test("what the service finds is told at its fields, and the first has the focus", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await fillIn(stage);
  await panel.field(/Your email/).fill("ada@acme@x");
  await panel.send.click();
  const told = panel.dialog.getByText("Must be an email address such as ada@example.com.");
  await told.waitFor();
  const email = panel.field(/Your email/);
  assertEquals(await email.getAttribute("aria-invalid"), "true");
  assert(
    (await email.getAttribute("aria-describedby"))!.includes(await told.getAttribute("id") ?? "?"),
  );
  assert(await email.evaluate((field) => field.matches(":focus")));
  assertEquals(await panel.alert.innerText(), "");

  await email.fill("ada@acme.example");
  await panel.field("Where should it go?").selectOption("link");
  await panel.field("Which ticket?").fill("not a ticket");
  await panel.send.click();
  await panel.dialog.getByText(
    "Must be a ticket number, or the address of one ticket at Acme IT desk.",
  )
    .waitFor();
  assert(await panel.field("Which ticket?").evaluate((field) => field.matches(":focus")));
  assertEquals(await stage.kept(), 0);
});

test("a text that is too long is told and never cut", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  // Characters, not UTF-16 units.
  await panel.field("Summary").fill("🛟".repeat(200));
  await panel.field(/Description/).fill("x".repeat(8001));
  await panel.send.click();
  await panel.dialog.getByText("At most 8000 characters: this has 8001.").waitFor();
  assertEquals((await panel.field(/Description/).inputValue()).length, 8001);
  assertEquals(posts, []);
  await panel.field(/Description/).fill("x".repeat(8000));
  await panel.send.click();
  await done(stage);
  assertEquals(posts[0]!.body.summary, "🛟".repeat(200));
});

test("a service that is away loses nothing that was typed", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await stage.stop();
  await panel.send.click();
  await panel.alert.getByText("The service could not be reached").waitFor();
  await panel.alert.getByText(MAY_BE_KEPT).waitFor();
  await assertTextKept(stage);
  await page.keyboard.press("Escape");
  await panel.dialog.waitFor({ state: "hidden" });
  await panel.open();
  await assertTextKept(stage);
  await stage.start();
  await panel.dialog.locator("#send").click();
  await done(stage);
  assertEquals(await stage.kept(), 1);
});

test("a store that is away is told with the request id, and the key is kept", async (stage) => {
  const { panel, posts } = stage;
  await panel.open();
  await fillIn(stage);
  stage.closeStore();
  await panel.send.click();
  await panel.alert.getByText(MAY_BE_KEPT).waitFor();
  assertEquals((await panel.alert.locator("code").innerText()).length, 36);
  await assertTextKept(stage);
  await panel.button("Try again").click();
  await panel.button("Try again").waitFor();
  assertEquals(posts.length, 2);
  assertEquals(posts[0]!.key, posts[1]!.key);
});

test("a token that is refused or cannot be had is told plainly", async (stage) => {
  const { panel, page, claims } = stage;
  await panel.open();
  await fillIn(stage);
  claims.lifetime = -60;
  await panel.send.click();
  const told = panel.alert.getByText("It could not be confirmed who you are.");
  await told.waitFor();
  await panel.alert.getByText("If you report this, quote").waitFor();
  await page.evaluate("panel.getToken = () => Promise.reject(new Error('signed out'))");
  await panel.send.click();
  await panel.alert.getByText("If you report this").waitFor({ state: "detached" });
  await told.waitFor();
  assertEquals(stage.posts.length, 1);
  await assertTextKept(stage);
  claims.lifetime = 60;
  await page.evaluate("panel.getToken = () => fetch('/token').then((answer) => answer.text())");
  await panel.send.click();
  await done(stage);
});

test("who may not ask is told so", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await panel.card.getByText("You may not ask for support here.").waitFor();
}, { claims: { tenants: ["another"] } });

test("a rate limit tells when to try again", async (stage) => {
  const { panel } = stage;
  await panel.open();
  await panel.field("Summary").fill("First");
  await panel.send.click();
  await done(stage);
  await panel.button("Write another request").click();
  await panel.field("Summary").fill("Second");
  await panel.send.click();
  await panel.alert.getByText(/too many requests in a short time\. Try again in \d+ s\./).waitFor();
  assertEquals(await panel.field("Summary").inputValue(), "Second");
}, { env: { RATE_LIMIT_PER_MINUTE: "1" } });

test("after a lost answer the same content has the same key, and is kept once", async (stage) => {
  const { panel, page, posts, desk } = stage;
  await panel.open();
  await fillIn(stage);
  await page.route("**/support-requests", async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 1 });
  await panel.send.click();
  await panel.alert.getByText(MAY_BE_KEPT).waitFor();
  await panel.button("Try again").click();
  await done(stage);
  assertEquals(posts.length, 2);
  assertEquals(posts[0]!.key, posts[1]!.key);
  assertEquals(await stage.kept(), 1);
  assertEquals(desk.tickets.length, 1);
});

test("content that was changed after a lost answer has another key", async (stage) => {
  const { panel, page, posts } = stage;
  await panel.open();
  await panel.field("Summary").fill("One");
  await page.route("**/support-requests", async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 2 });
  await panel.send.click();
  await panel.alert.getByText(MAY_BE_KEPT).waitFor();
  await panel.field("Summary").fill("Two");
  await panel.button("Try again").click();
  await panel.alert.getByText(MAY_BE_KEPT).waitFor();
  await panel.field("Summary").fill("One");
  await panel.button("Try again").click();
  await done(stage);
  assertEquals(posts.map(({ body }) => body.summary), ["One", "Two", "One"]);
  assertNotEquals(posts[0]!.key, posts[1]!.key);
  assertEquals(posts[0]!.key, posts[2]!.key);
  assertEquals(await stage.kept(), 2);
});

test("a submission that is still under way is waited for", async (stage) => {
  const { panel, page, desk, posts } = stage;
  desk.behave("hang");
  await panel.open();
  await fillIn(stage);
  await page.route("**/support-requests", async (route) => {
    route.fetch().catch(() => {});
    await until(async () => await stage.kept() === 1);
    await route.abort();
  }, { times: 1 });
  await panel.send.click();
  await panel.button("Try again").click();
  await done(stage);
  await panel.card.getByText("Acme IT desk did not respond in time").waitFor();
  // Lost, told to wait, and the answer.
  assertEquals(posts.length, 3);
  assertEquals(new Set(posts.map(({ key }) => key)).size, 1);
  assertEquals(await stage.kept(), 1);
});

test("a proxy's page is not taken for an answer", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await page.route("**/support-requests", (route) =>
    route.fulfill({
      status: 201,
      contentType: "text/html",
      headers: { "Access-Control-Allow-Origin": "*" },
      body: "<script>document.title = 'owned'</script>",
    }));
  await panel.send.click();
  await panel.alert.getByText(MAY_BE_KEPT).waitFor();
  await assertTextKept(stage);
  assertEquals(await page.title(), "Demo product");
});

test("what is typed while a submission is under way stays", async (stage) => {
  const { panel, page } = stage;
  await panel.open();
  await fillIn(stage);
  await page.route("**/support-requests", async (route) => {
    await panel.field(/Description/).fill("One more thing");
    await route.continue();
  });
  await panel.send.click();
  await done(stage);
  await panel.button("Write another request").click();
  assertEquals(await panel.field(/Description/).inputValue(), "One more thing");
});
