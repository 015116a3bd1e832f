import { assertMatch } from "@std/assert";
import { TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

async function postAs(type: string): Promise<Response> {
  await using service = await openService();
  return await service.call(TENANT, {
    method: "POST",
    headers: { "Content-Type": type },
    body: `{"summary":"Help"}`,
  });
}

for (
  const type of [
    "application/json",
    "application/json;",
    "application/json; charset=utf-8",
    `application/json;charset="UTF-8"`,
    "Application/JSON ; Charset = utf-8",
    "application/json; charset=utf8",
    "application/json; charset=US-ASCII",
    "application/json;odata.metadata=minimal;IEEE754Compatible=false",
    `application/json; profile="https://acme.example/submission"`,
    `application/json; profile="a; charset=utf-16"; charset=utf-8`,
    `application/json; a="\\"; charset=latin1"`,
    "application/json; boundary",
    "APPLICATION/JSON;\tv=1 ;; q",
    "application/problem+json",
    "application/vnd.acme.v2+json; ext=bulk",
  ]
) {
  Deno.test(`a submission is accepted as ${type}`, async () => {
    const response = await postAs(type);
    await response.body?.cancel();
    assertMatch(String(response.status), /^201$/);
  });
}

for (
  const type of [
    "",
    "text/plain",
    "text/json",
    "application/jsonp",
    "application/json5",
    "application/+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=latin1",
    "application/json; charset=utf-16",
    `application/json; profile="x"; CHARSET = "ISO-8859-1"`,
    "text/plain; application/json",
    "application/json, text/plain",
    "application/json text/plain",
  ]
) {
  Deno.test(`a submission is rejected with 415 as '${type}'`, async () => {
    const { detail } = await assertProblem(await postAs(type), 415, "not-json");
    assertMatch(detail, /application\/json/);
  });
}
