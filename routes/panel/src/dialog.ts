/// <reference lib="dom" />
import { h } from "./dom.ts";
import type { Session } from "./session.ts";
import { submit } from "./submit.ts";
import { openForm } from "./open_form.ts";

/** Creates the dialog around the form: the parts that exist in every state of the panel. */
export function createDialog(session: Session, form: Element): HTMLDialogElement {
  const hide = () => dialog.close();
  const stop = (event: Event) => event.stopPropagation();
  const dialog = h<HTMLDialogElement>(
    "dialog#dialog",
    {
      "aria-labelledby": "title",
      // The page would treat typed keys as its own shortcuts.
      keydown: stop,
      keypress: stop,
      keyup: stop,
      pointerdown: (event: PointerEvent) => isOnBackdrop(event, dialog) && hide(),
    },
    h(
      "header#header",
      h("h2#title", { tabindex: -1 }),
      h("button#close.quiet", { click: hide }, "×"),
      h("slot", { name: "about" }, h("p#about.hint")),
    ),
    h("div#body", h("div#strip"), form, h("section#result", { "aria-labelledby": "headline" })),
    h(
      "footer#footer",
      h("div#alert.notice", { role: "alert" }),
      h("small#progress.hint"),
      h("button#another", { click: () => openForm(session) }),
      h("button#finish.main", { click: hide }),
      h("button#send.main", { "aria-describedby": "progress", "click": () => submit(session) }),
    ),
    h("p#status.unseen", { role: "status" }),
  );
  return dialog;
}

/** Whether a pointer is outside the dialog, to which the backdrop belongs. */
function isOnBackdrop({ target, offsetX: x, offsetY: y }: PointerEvent, dialog: HTMLElement) {
  return target === dialog &&
    (x < 0 || y < 0 || x > dialog.offsetWidth || y > dialog.offsetHeight);
}
