import { Hono } from "hono";
import { docsRoutes } from "../docs/routes.ts";
import type { Env } from "../http/env.ts";
import { PROBLEMS, type ProblemSlug, problemType } from "../http/problems.ts";
import { staticFile } from "../http/static_file.ts";

/** Serves the API's documentation. The OpenAPI document is built on the first request for it. */
export function openApiRoutes(version: string): Hono<Env> {
  const loadDocument = async () => {
    const { openApiDocument } = await import("./document.ts");
    return JSON.stringify(openApiDocument(version));
  };
  return new Hono<Env>()
    .get(
      "/openapi.json",
      staticFile(loadDocument, {
        type: "application/json",
        maxAge: 300,
        headers: { "Access-Control-Allow-Origin": "*" },
      }),
    )
    .route("/", docsRoutes)
    // A problem's `type` is the URL of a page that people open.
    .get("/problems/:slug", async (c) => {
      const slug = c.req.param("slug");
      if (!isProblem(slug)) return c.notFound();
      const { exampleProblem } = await import("./problem_responses.ts");
      const example = { ...exampleProblem(slug), type: problemType(c, slug) };
      const { status, title, detail } = example;
      const whole = JSON.stringify(example, null, 2);
      return c.text(`${status} ${title}\n\n${detail}.\n\nFor example:\n\n${whole}\n`, 200);
    });
}

function isProblem(slug: string): slug is ProblemSlug {
  return Object.hasOwn(PROBLEMS, slug);
}
