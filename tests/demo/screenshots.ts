/**
 * `deno task screenshots`: takes the pictures of README.md from the demo, in Chromium, and stores
 * them in `.github/images`.
 */
import { type Browser, chromium, type Page } from "playwright-core";

const ROOT = new URL("../../", import.meta.url);
const IMAGES = new URL(".github/images/", ROOT);
const CHROMIUM = "/usr/bin/chromium";
const TIMEOUT_MS = 20_000;
/** Pictures are under version control, so each must stay small. */
const MAX_BYTES = 150_000;

const SUMMARY = "The nightly import stops at row 40,000";
const DESCRIPTION =
  "Since Monday it fails every night. The log ends with a timeout of the warehouse.";

/** Starts the demo on a free port. Resolves with its process and the URL of the sample product. */
async function startDemo() {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "dev"],
    cwd: ROOT,
    env: { PORT: "0", NO_COLOR: "1", LOG_LEVEL: "error" },
    stdout: "piped",
  }).spawn();
  let text = "";
  const limit = setTimeout(() => process.kill("SIGKILL"), TIMEOUT_MS);
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const url = /Sample product\s+(\S+)/.exec(text)?.[1];
    if (url === undefined) continue;
    clearTimeout(limit);
    return { process, url };
  }
  throw new Error(`The demo did not start:\n${text}`);
}

/** Submits a request in the panel and resolves when its ticket is shown. */
async function submit(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Request support" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Summary").fill(SUMMARY);
  await dialog.getByLabel(/Description/).fill(DESCRIPTION);
  await dialog.locator("#send").click();
  await dialog.locator("a[href*=Ticket]").first().waitFor();
}

async function takePicture(browser: Browser, colorScheme: "light" | "dark"): Promise<void> {
  // Each picture has a demo of its own, so that both show the first ticket.
  const demo = await startDemo();
  const context = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    colorScheme,
    reducedMotion: "reduce",
    locale: "en-GB",
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    await page.goto(demo.url);
    // The demo's own controls are not part of a product.
    await page.addStyleTag({ content: "footer { display: none !important }" });
    await submit(page);
    const picture = await page.screenshot({ animations: "disabled" });
    if (picture.length > MAX_BYTES) throw new Error(`The picture has ${picture.length} bytes`);
    await Deno.writeFile(new URL(`panel-${colorScheme}.png`, IMAGES), picture);
    console.log(`panel-${colorScheme}.png  ${Math.ceil(picture.length / 1000)} KB`);
  } finally {
    await context.close();
    demo.process.kill("SIGINT");
    await demo.process.status;
  }
}

await Deno.mkdir(IMAGES, { recursive: true });
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
});
try {
  for (const colorScheme of ["light", "dark"] as const) await takePicture(browser, colorScheme);
} finally {
  await browser.close();
}
