import { define } from "@deskhand/panel";
import { createApp } from "vue";
import App from "./App.vue";

define();
const query = new URLSearchParams(location.search);
createApp(App, { service: query.get("service") ?? "", token: query.get("token") ?? "" })
  .mount("#root");
