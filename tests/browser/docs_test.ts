import { assertEquals } from "@std/assert";
import { mintToken } from "../demo/token.ts";
import { useStageTests, WEBKIT_LACKS } from "./suite.ts";
import { AUTH_SECRET } from "../support/constants.ts";
import { waitFor } from "../support/wait_for.ts";

const test = useStageTests();

/** The path of each page, and a selector of its title. */
const PAGES = [["/", "h1"], ["/docs", "h1"], ["/docs/explorer", ".info .title"]] as const;

test(
  "the API explorer makes calls with a token, and contacts no other host",
  async (stage) => {
    const { page, url } = stage;
    const strangers: string[] = [];
    page.on("request", (request) => {
      const requested = request.url();
      if (!requested.startsWith(`${url}/`) && !requested.startsWith("data:")) {
        strangers.push(requested);
      }
    });
    await page.goto(`${url}/docs/explorer`);

    await page.getByRole("button", { name: "Authorize" }).click();
    const dialog = page.locator(".modal-ux");
    await dialog.locator("input").fill(await mintToken(AUTH_SECRET));
    await dialog.getByRole("button", { name: "Apply credentials" }).click();
    await dialog.getByRole("button", { name: "Close" }).last().click();

    const submit = page.locator("#operations-Support_requests-submitInRun");
    await submit.getByText("Submit a support request in a run's context").click();
    await submit.getByRole("combobox").nth(1).selectOption("create");
    // Twice: what the page fills in by itself must not make the second one a mistake.
    for (let i = 1; i <= 2; i++) {
      await submit.getByRole("button", { name: "Execute" }).click();
      await submit.locator(".live-responses-table").getByText("201", { exact: true }).waitFor();
      await waitFor("a submission", () => stage.posts.length === i);
      await submit.getByRole("button", { name: "Clear" }).click();
    }
    assertEquals(stage.posts.map(({ key, path }) => [key, path]), [
      [null, "/v1/tenants/acme/runs/r-1/support-requests"],
      [null, "/v1/tenants/acme/runs/r-1/support-requests"],
    ]);
    assertEquals(await stage.countStored(), 2);
    assertEquals(stage.desk.tickets.length, 2);
    assertEquals(strangers, []);
  },
  { not: { webkit: WEBKIT_LACKS.events } },
);

test("in a narrow window, the explorer's descriptions of groups have the whole width", async (stage) => {
  const { page, url } = stage;
  await page.setViewportSize({ width: 450, height: 800 });
  await page.goto(`${url}/docs/explorer`);
  const description = page.locator(".opblock-tag small").first();
  await description.waitFor();
  const width = await description.evaluate((element) => element.getBoundingClientRect().width);
  assertEquals(width > 300, true, `${width} pixels`);
});

test(
  "the home page, the guide and the explorer follow the color scheme",
  async (stage) => {
    const { page, url } = stage;
    /** Returns whether the page's own background is dark, as Chromium paints it. */
    const isDark = async () => {
      const image = await page.screenshot({ clip: { x: 2, y: 2, width: 1, height: 1 } });
      return await page.evaluate(async (bytes) => {
        const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
        const canvas = new OffscreenCanvas(1, 1).getContext("2d")!;
        canvas.drawImage(bitmap, 0, 0);
        return canvas.getImageData(0, 0, 1, 1).data[0]! < 128;
      }, [...image]);
    };
    for (const [path, title] of PAGES) {
      await page.emulateMedia({ colorScheme: "dark" });
      await page.goto(url + path);
      const text = page.locator(title).first();
      await text.waitFor();
      for (const colorScheme of ["dark", "light"] as const) {
        await page.emulateMedia({ colorScheme });
        const isDarkScheme = colorScheme === "dark";
        // The explorer's script follows the scheme a moment later.
        const readColors = async () => [
          await isDark(),
          await text.evaluate((element) =>
            Number(getComputedStyle(element).color.match(/\d+/)![0]) > 128
          ),
        ];
        const isRight = (colors: boolean[]) => colors.every((color) => color === isDarkScheme);
        await waitFor(`the colors of ${path} are ${colorScheme}`, readColors, isRight);
      }
    }
  },
  { not: { firefox: "Its color scheme is fixed when it starts", webkit: WEBKIT_LACKS.media } },
);
