/** The requests of the figures. */
import { mintToken } from "../demo/token.ts";
import type { LoadPlan } from "./load.ts";
import { deskEnv, TENANT } from "../support/constants.ts";

export const AUTH_SECRET = "a secret for benches, of 32 bytes or more";
/** The origin of the product's pages, which is not Deskhand's. */
export const ORIGIN = "https://product.example";

const RUN = "/v1/tenants/acme/runs/{run}/support-requests";

export const SUBMISSION = {
  summary: "The nightly import of customer orders stops at row 40,000",
  description:
    "Since the update of last Tuesday the import reads 40,000 rows, says that a column " +
    "is missing and stops. The file is the same as before. Without it nobody here sees the new " +
    "orders, and we type them in by hand.",
  severity: "high" as const,
  contact: { name: "Ada Lovelace", email: "ada.lovelace@acme.example" },
  diagnostics: {
    page: `${ORIGIN}/acme/runs/nightly-import`,
    browser: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    version: "2026.11.3",
  },
};

/** The headers of a person who may do everything in the tenant `acme`, on a page of the product. */
async function headers(): Promise<Record<string, string>> {
  const token = await mintToken(AUTH_SECRET, { name: "Ada Lovelace", lifetime: 24 * 60 * 60 });
  return { "Origin": ORIGIN, "Authorization": `Bearer ${token}` };
}

export interface SubmissionOptions extends Pick<LoadPlan, "isKeyed" | "runs" | "repeatEvery"> {
  /** The outcome of the handoff; without it there is no handoff. */
  outcome?: "created";
}

/** Submissions of a common size. */
export async function submissions(options: SubmissionOptions = {}): Promise<LoadPlan> {
  const { outcome, ...rest } = options;
  return {
    method: "POST",
    path: options.runs === undefined ? TENANT : RUN,
    headers: await headers(),
    body: { ...SUBMISSION, handoff: { mode: outcome === undefined ? "none" : "create" } },
    status: 201,
    ...outcome !== undefined && { contains: `"${outcome}"` },
    ...rest,
  };
}

/** Reads of the latest request of the tenant, or of rotating runs. */
export async function reads(runs?: number): Promise<LoadPlan> {
  return {
    method: "GET",
    path: `${runs === undefined ? TENANT : RUN}/latest`,
    headers: await headers(),
    status: 200,
    ...runs !== undefined && { runs },
  };
}

/** Tickets created at a desk, without Deskhand. */
export function tickets(): LoadPlan {
  return {
    method: "POST",
    path: "/REST/2.0/ticket",
    headers: {},
    body: { Queue: "Support", Subject: SUBMISSION.summary, Content: SUBMISSION.description },
    status: 201,
  };
}

/** The variables that configure a desk on this machine. */
export function deskEnvironment(port: number, concurrency = 16): Record<string, string> {
  const desk = deskEnv({ url: `http://127.0.0.1:${port}` });
  return { ...desk, SUPPORT_DESK_MAX_CONCURRENCY: String(concurrency) };
}
