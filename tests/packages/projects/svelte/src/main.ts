import { define } from "@deskhand/panel";
import { mount } from "svelte";
import App from "./App.svelte";

define();
const query = new URLSearchParams(location.search);
mount(App, {
  target: document.getElementById("root")!,
  props: { service: query.get("service") ?? "", token: query.get("token") ?? "" },
});
