// Swagger UI for the API of the service that serves this page. Tokens stay in memory only.
followColorScheme();
globalThis.SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});

/** Swagger UI is dark below `html.dark-mode`, and follows the reader's color scheme only with this. */
function followColorScheme() {
  const dark = globalThis.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}
