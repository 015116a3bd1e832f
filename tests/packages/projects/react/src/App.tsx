import type { SupportRequest, SupportRequestPanelElement } from "@deskhand/panel/react";
import { useEffect, useRef, useState } from "react";

export interface AppProps {
  service: string;
  token: string;
}

export function App({ service, token }: AppProps) {
  const panel = useRef<SupportRequestPanelElement>(null);
  const [open, setOpen] = useState(false);
  const [request, setRequest] = useState<SupportRequest | null>(null);

  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    element.getToken = () => token;
    element.contact = { name: "Ada Lovelace", email: "ada@acme.example" };
    const onSubmitted = (event: CustomEvent<SupportRequest>) => setRequest(event.detail);
    const onClose = () => setOpen(false);
    element.addEventListener("support-request-submitted", onSubmitted);
    element.addEventListener("support-request-close", onClose);
    return () => {
      element.removeEventListener("support-request-submitted", onSubmitted);
      element.removeEventListener("support-request-close", onClose);
    };
  }, [token]);

  return (
    <main>
      <button onClick={() => setOpen(true)}>Request support</button>
      <output>{request?.handoff.status}</output>
      <support-request-panel
        ref={panel}
        service={service}
        tenant="acme"
        run="r-1"
        modes="create"
        collect="page-url"
        open={open}
      />
    </main>
  );
}
