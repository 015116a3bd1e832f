/**
 * The npm packages as a frontend team uses them: installed from their tarballs into real projects,
 * type-checked, built, opened in Chromium, and used to create a ticket. Needs npm and its registry.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser } from "playwright-core";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import { buildPackages, type Package, run } from "./build.ts";

const VITE = { vite: "8.3.8", typescript: "6.0.3" };

interface Project {
  name: string;
  /** The folder below `projects/`. */
  folder: string;
  dependencies: Record<string, string>;
  /** The command that checks its types. */
  check: string[];
}

const PROJECTS: Project[] = [
  {
    name: "React 19",
    folder: "react",
    dependencies: {
      "react": "19.3.1",
      "react-dom": "19.3.1",
      "@types/react": "19.3.0",
      "@types/react-dom": "19.3.0",
    },
    check: ["tsc"],
  },
  {
    name: "React 18",
    folder: "react",
    dependencies: {
      "react": "18.3.1",
      "react-dom": "18.3.1",
      "@types/react": "18.3.8",
      "@types/react-dom": "18.3.7",
    },
    check: ["tsc"],
  },
  {
    name: "Vue 3",
    folder: "vue",
    dependencies: { "vue": "3.5.45", "vue-tsc": "3.3.14", "@vitejs/plugin-vue": "6.0.11" },
    check: ["vue-tsc"],
  },
  {
    name: "Svelte 5",
    folder: "svelte",
    dependencies: {
      "svelte": "5.57.3",
      "svelte-check": "4.7.8",
      "@sveltejs/vite-plugin-svelte": "7.3.1",
    },
    check: ["svelte-check", "--fail-on-warnings"],
  },
];

let packages: Package[];
let browser: Browser;
Deno.test.beforeAll(async () => {
  packages = await buildPackages();
  browser = await launch();
});
Deno.test.afterAll(() => browser?.close());

/** The components in the panel's README, by file name. They are type-checked with the project. */
async function readmeComponents(extension: string): Promise<Record<string, string>> {
  const readme = await Deno.readTextFile(`${packages[1]!.directory}/README.md`);
  const blocks = [...readme.matchAll(new RegExp(`\`\`\`${extension}\\n([^]*?)\`\`\``, "g"))];
  assert(blocks.length > 0, `the README has no ${extension}`);
  return Object.fromEntries(blocks.map(([, code], i) => [`Readme${i + 1}.${extension}`, code!]));
}

/** A copy of a project with the packages installed. */
async function install({ folder, dependencies }: Project) {
  const path = await Deno.makeTempDir({ prefix: "deskhand-" });
  await run("cp", ["-r", `${import.meta.dirname}/projects/${folder}/.`, path]);
  const extension = folder === "react" ? "tsx" : folder;
  for (const [file, code] of Object.entries(await readmeComponents(extension))) {
    await Deno.writeTextFile(`${path}/src/${file}`, code);
  }
  const tarballs = packages.map(({ name, tarball }) => [name, `file:${tarball}`]);
  const manifest = {
    private: true,
    type: "module",
    dependencies: { ...Object.fromEntries(tarballs), ...VITE, ...dependencies },
  };
  await Deno.writeTextFile(`${path}/package.json`, JSON.stringify(manifest));
  await run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], path);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Serves a folder's files to a browser, with `index.html` for `/`. */
function serveFiles(folder: string) {
  const types: Record<string, string> = { html: "text/html", js: "text/javascript" };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/favicon.ico") return new Response(null, { status: 204 });
    const path = pathname === "/" ? "/index.html" : pathname;
    const bytes = await Deno.readFile(`${folder}${path}`).catch(() => null);
    if (bytes === null) return new Response(null, { status: 404 });
    const type = types[path.split(".").at(-1)!] ?? "application/octet-stream";
    return new Response(bytes, { headers: { "Content-Type": type } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** The service with a fake desk on loopback, for pages of `origin`. */
async function openBackend(origin: string) {
  const desk = startFakeDesk();
  const service = await openService({
    env: { ...deskEnv(desk), CORS_ORIGINS: origin },
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => service.app.fetch(request),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    desk,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await service[Symbol.asyncDispose]();
      await desk.close();
    },
  };
}

for (const project of PROJECTS) {
  Deno.test({
    name: `a ${project.name} project without type errors opens the panel and gets a ticket`,
    ...UNSANITIZED,
    async fn() {
      await using app = await install(project);
      await run("npx", ["--no-install", ...project.check], app.path);
      await run("npx", ["--no-install", "vite", "build"], app.path);
      await using files = serveFiles(`${app.path}/dist`);
      await using backend = await openBackend(files.origin);
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => void errors.push(String(error)));
      page.on("console", (line) => void (line.type() === "error" && errors.push(line.text())));
      const token = await mintToken(AUTH_SECRET);
      await page.goto(`${files.origin}/?${new URLSearchParams({ service: backend.url, token })}`);
      const dialog = page.getByRole("dialog");
      const button = page.getByRole("button", { name: "Request support" });
      await button.waitFor();
      assert(!await dialog.isVisible(), "open={false} is closed");
      await button.click();
      await dialog.getByRole("textbox", { name: /summary|subject|what/i }).first()
        .fill("The nightly import stops");
      await dialog.getByRole("button", { name: /send|request|create/i }).last().click();
      await page.locator("output", { hasText: "created" }).waitFor({ timeout: 10_000 });
      assertEquals(backend.desk.tickets.length, 1);
      assertEquals(errors, []);
      await page.close();
    },
  });
}

Deno.test({
  name: "a server render with React contains the element, and importing the packages is safe",
  ...UNSANITIZED,
  async fn() {
    await using app = await install(PROJECTS[0]!);
    await run("npx", ["--no-install", "vite", "build", "--ssr", "src/server.tsx"], app.path);
    const html = await run("node", ["dist/server.js"], app.path);
    assertStringIncludes(html, '<support-request-panel service="https://support.example"');
    for (const name of ["@deskhand/panel", "@deskhand/panel/define", "@deskhand/client"]) {
      await run("node", ["--input-type=module", "--eval", `await import("${name}")`], app.path);
    }
  },
});

Deno.test("custom-elements.json names every attribute and event of the element", async () => {
  const { default: manifest } = await import("../../routes/panel/npm/custom-elements.json", {
    with: { type: "json" },
  });
  const { attributes, events } = manifest.modules[0]!.declarations[0]!;
  const { SupportRequestPanelElement } = await import("../../routes/panel/src/element.ts");
  assertEquals(
    attributes.map(({ name }) => name).toSorted(),
    // Read when the request is sent, so that no change of it needs to be observed.
    [...SupportRequestPanelElement.observedAttributes, "collect"].toSorted(),
  );
  const source = await Deno.readTextFile(
    new URL("../../routes/panel/src/types.ts", import.meta.url),
  );
  const map = source.slice(source.indexOf("interface SupportRequestEventMap"));
  const named = [...map.matchAll(/"(support-request-\w+)":/g)].map(([, name]) => name!);
  assertEquals(events.map(({ name }) => name).toSorted(), named.toSorted());
});
