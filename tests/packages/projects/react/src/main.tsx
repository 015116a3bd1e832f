import { define } from "@deskhand/panel";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";

define();
const query = new URLSearchParams(location.search);
const root = createRoot(document.getElementById("root")!);
root.render(<App service={query.get("service") ?? ""} token={query.get("token") ?? ""} />);
