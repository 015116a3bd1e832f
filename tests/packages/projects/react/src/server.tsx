/** A server render: importing the panel must do no harm where there is no DOM. */
import { define } from "@deskhand/panel";
import { createClient } from "@deskhand/client";
import { renderToString } from "react-dom/server";
import { App } from "./App.tsx";

define();
createClient({ url: "https://support.example", getToken: () => "t" });
console.log(renderToString(<App service="https://support.example" token="t" />));
