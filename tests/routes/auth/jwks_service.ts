/** A service that verifies tokens with the key set of an issuer, and what its log says of that. */
import { openService } from "../../support/service.ts";

const LATEST = "/v1/tenants/acme/support-requests/latest";

export type Service = Awaited<ReturnType<typeof openService>>;

/** Returns the status of a read with `token`. */
export async function status(service: Service, token: string): Promise<number> {
  const response = await service.call(LATEST, { token });
  await response.body?.cancel();
  return response.status;
}

/** Returns the event and the reason of each log line about the key set. */
export function eventsOf({ lines }: Service): string[] {
  return lines.filter(({ event }) => event?.startsWith("key_set")).map(({ event, reason }) =>
    reason === undefined ? event! : `${event} ${reason}`
  );
}

/** Returns the reason in the log line of the latest request. */
export function reasonOf({ lines }: Service): string | undefined {
  return lines.findLast(({ route }) => route)?.reason;
}
