/** The functions that sign tokens, in README.md and beside it, in the language's own runtime. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const USER: { id: string; name?: string; email?: string; tenants: string[] } = {
  id: "u-7",
  name: "Zoë Lovelace",
  email: "zoe@acme.example",
  tenants: ["acme", "globex"],
};

function isInstalled(command: string, args: string[]): boolean {
  try {
    return new Deno.Command(command, { args }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs a command in a folder and returns its standard output. */
async function run(folder: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: folder,
    env: { AUTH_SECRET, GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local", PYTHONDONTWRITEBYTECODE: "1" },
    signal: AbortSignal.timeout(60_000),
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** What a script or a server without users knows. */
const SCRIPT: typeof USER = { id: "import-service", tenants: ["acme"] };

/** Resolves once the service has accepted a request with the token and named the user. */
async function assertAccepted(token: string, user = USER): Promise<void> {
  const desk = startFakeDesk();
  await using service = await openService({
    env: {
      ...deskEnv(desk),
    },
  });
  for (const tenant of user.tenants) {
    const path = `/v1/tenants/${tenant}/support-requests`;
    const submitted = await service.call(path, {
      token,
      json: { summary: "Printer on fire", handoff: { mode: "create" } },
    });
    assertEquals(submitted.status, 201);
    assertEquals((await submitted.json()).createdBy, {
      id: user.id,
      ...user.name !== undefined && { name: user.name },
    });
    const latest = await service.call(`${path}/latest`, { token });
    assertEquals(latest.status, 200);
    await latest.body?.cancel();
  }
  const requestors = desk.tickets.map(({ requestor }) => requestor);
  assertEquals(requestors, user.tenants.map(() => user.email ?? ""));
  await desk.close();
}

Deno.test({
  name: "the service accepts a token of routes/v1/README.md's function for Node.js",
  ignore: !isInstalled("node", ["--version"]),
  async fn() {
    const readme = await Deno.readTextFile(`${ROOT}routes/v1/README.md`);
    const code = /```js\n(import [\s\S]*?)```/.exec(readme)![1]!;
    assertStringIncludes(code, "export function supportToken(user");
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/support_token.mjs`, code);
      await Deno.writeTextFile(
        `${folder}/main.mjs`,
        `import { supportToken } from "./support_token.mjs";
console.log(supportToken(JSON.parse(process.argv[2])));`,
      );
      for (const user of [USER, SCRIPT]) {
        await assertAccepted(await run(folder, "node", "main.mjs", JSON.stringify(user)), user);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "the service accepts a token of the function for Python",
  ignore: !isInstalled("python3", ["--version"]),
  async fn() {
    const script = `import json, sys
from support_token import support_token
print(support_token(json.loads(sys.argv[1])))`;
    for (const user of [USER, SCRIPT]) {
      const folder = `${ROOT}tests/examples`;
      const token = await run(folder, "python3", "-c", script, JSON.stringify(user));
      await assertAccepted(token, user);
    }
  },
});

Deno.test({
  name: "the service accepts a token of the function for Go",
  ignore: !isInstalled("go", ["version"]),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${folder}/support`);
      await Deno.copyFile(
        `${ROOT}tests/examples/support_token.go`,
        `${folder}/support/support_token.go`,
      );
      await Deno.writeTextFile(`${folder}/go.mod`, "module example\n\ngo 1.19\n");
      await Deno.writeTextFile(
        `${folder}/main.go`,
        `package main

import (
	"example/support"
	"fmt"
	"os"
)

func main() {
	user := support.User{
		ID: ${JSON.stringify(USER.id)}, Name: ${JSON.stringify(USER.name)},
		Email: ${JSON.stringify(USER.email)}, Tenants: []string{"acme", "globex"},
	}
	token, err := support.Token(user, os.Getenv("AUTH_SECRET"))
	if err != nil {
		panic(err)
	}
	fmt.Println(token)
}
`,
      );
      await assertAccepted(await run(folder, "go", "run", "."));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
