const url = process.env.DESKHAND_URL ?? "http://127.0.0.1:8000";

export default {
  deskhand: {
    input: `${url}/openapi.json`,
    output: { target: "./deskhand.ts", client: "fetch", baseUrl: url },
  },
};
