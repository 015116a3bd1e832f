import {
  type Behavior,
  closeAfter,
  respondWith,
  stallAfter,
  startRawServer,
} from "../support/raw_server.ts";

/** How the desk treats the creation for one submission, and the lookup that may follow. */
export interface Scene {
  creation: Behavior;
  lookup?: Behavior;
}

/** A desk that plays scenes, and records every byte that it receives. */
export function startCanaryDesk() {
  let scene: Scene = { creation: closeAfter("") };
  const server = startRawServer((connection, request) => {
    const { creation, lookup = creation } = scene;
    return (request.startsWith("POST") ? creation : lookup)(connection, request);
  });
  return {
    url: server.url,
    received: () => server.received.join(""),
    play: (next: Scene) => void (scene = next),
    close: server.close,
  };
}

/**
 * Returns every way in which a desk can fail a creation or respond to a lookup, with a word planted
 * in each part of the response. `plant` makes up a word for a name.
 */
export function scenes(plant: (name: string) => string): Record<string, Scene> {
  /** Responds with words in the status text, the headers and the body. */
  const respond = (status: number, what: string, body = plant(`${what}: body`)): Behavior =>
    respondWith(
      `${status} ${plant(`${what}: status text`)}`,
      body,
      `Content-Type: application/json; x=${plant(`${what}: content type`)}`,
      `Location: http://127.0.0.1:9/${plant(`${what}: Location`)}`,
      `Retry-After: ${plant(`${what}: Retry-After`)}`,
      `Set-Cookie: RT_SID=${plant(`${what}: cookie`)}`,
      `X-${plant(`${what}: header name`)}: ${plant(`${what}: header`)}`,
    );
  const json = (what: string, fields: object) =>
    JSON.stringify({ ...fields, message: plant(`${what}: message`) });
  const failing = (status: number) => ({
    creation: respond(status, `creation ${status}`),
    lookup: respond(status, `lookup ${status}`),
  });

  const found: Behavior = (connection, request) => {
    const reference = /SR-[0-9A-Z]{26}/.exec(request)![0];
    const item = {
      id: plant("ticket found"),
      Subject: `[${reference}] ${plant("found: subject")}`,
      CustomFields: [{ name: plant("found: field name"), values: [plant("found: field value")] }],
      _url: `http://127.0.0.1:9/${plant("found: _url")}`,
    };
    const body = json("lookup found", { total: 1, items: [item] });
    return respond(200, "lookup found", body)(connection, request);
  };

  return {
    created: {
      creation: respond(
        201,
        "created",
        json("created", { id: plant("ticket created"), _url: plant("created: _url") }),
      ),
    },
    redirect: failing(302),
    "bad request": failing(400),
    "refused": failing(401),
    "forbidden": failing(403),
    "not found": failing(404),
    "rate-limited": failing(429),
    "error": failing(500),
    "proxy error": failing(503),
    "error page with 200": {
      creation: respond(200, "error page", `<h1>${plant("error page: text")}</h1>`),
    },
    "rubbish with 201": {
      creation: respond(201, "rubbish", `<h1>${plant("rubbish: text")}</h1>`),
      lookup: respond(200, "rubbish lookup", json("rubbish lookup", { total: 0, items: "none" })),
    },
    "an id that is none": {
      creation: respond(201, "no id", json("no id", { id: plant("no id: id") })),
      lookup: respond(
        200,
        "another ticket",
        json("another ticket", {
          total: 1,
          items: [{ id: "7", Subject: plant("another ticket: subject") }],
        }),
      ),
    },
    "too large": {
      creation: respond(201, "too large", json("too large", { id: "1", rest: " ".repeat(70_000) })),
    },
    "cut short": {
      creation: closeAfter(
        `HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n{"id": "${plant("cut short")}`,
      ),
    },
    "no HTTP": { creation: closeAfter(`${plant("no HTTP")}\r\n\r\n`) },
    "silence": {
      creation: stallAfter(`HTTP/1.1 201 Created\r\nX-Half: ${plant("half a header")}`),
    },
    "error, but the ticket is there": { creation: respond(500, "late error"), lookup: found },
  };
}
