import { failureSummary } from "../../domain/model/failure.ts";
import type { Example } from "./types.ts";

const REQUEST = {
  reference: "SR-01M857JJM2SCJ21CGTHC4N37D3",
  context: { kind: "run", tenantId: "acme", runId: "r-1" },
  summary: "The nightly import stops at row 40,000",
  severity: "normal",
  createdAt: "2026-11-23T12:00:00.000Z",
  createdBy: { id: "u-1", name: "Ada" },
};

const CREATED = {
  ...REQUEST,
  handoff: {
    status: "created",
    ticket: { reference: "42", url: "https://desk.example/Ticket/Display.html?id=42" },
    at: "2026-11-23T12:00:00.310Z",
  },
};

/** Submissions, by mode. */
export const SUBMISSIONS: Record<string, Example> = {
  stored: { summary: "Only store it", value: { summary: REQUEST.summary } },
  create: {
    summary: "Create a ticket",
    value: {
      summary: REQUEST.summary,
      description: "It worked until yesterday.\nNothing was changed.",
      severity: "high",
      contact: { name: "Ada", email: "ada@acme.example" },
      diagnostics: { build: "4.2.0" },
      handoff: { mode: "create" },
    },
  },
  link: {
    summary: "Link an existing ticket",
    value: { summary: REQUEST.summary, handoff: { mode: "link", ticket: "42" } },
  },
};

/** Responses to submissions. */
export const SUPPORT_REQUESTS = {
  created: { summary: "The ticket was created", value: CREATED },
  stored: { summary: "Only stored", value: { ...REQUEST, handoff: { status: "none" } } },
  mayExist: {
    summary: "A ticket may exist",
    value: {
      ...REQUEST,
      handoff: {
        status: "failed",
        reason: "desk_timeout",
        summary: failureSummary(
          { reason: "desk_timeout", ticketMayExist: true },
          "Acme IT desk",
          REQUEST.reference,
        ),
        ticketMayExist: true,
        at: "2026-11-23T12:00:05.003Z",
      },
    },
  },
};

/** Responses to a resume. */
export const RESUMED = {
  created: SUPPORT_REQUESTS.created,
  interrupted: {
    summary: "The desk gave no clear response",
    value: {
      ...REQUEST,
      handoff: {
        status: "failed",
        reason: "interrupted",
        summary: failureSummary(
          { reason: "interrupted", ticketMayExist: true },
          "Acme IT desk",
          REQUEST.reference,
        ),
        ticketMayExist: true,
        at: "2026-11-23T12:00:15.000Z",
      },
    },
  },
};

/** Response of `latest`. */
export const CONTEXT_SUMMARY = {
  desk: { label: "Acme IT desk" },
  handoffModes: ["none", "create", "link"],
  supportRequest: CREATED,
};

/** A page of audit events. */
export const AUDIT_EVENTS = {
  events: [
    {
      event: "handoff.created",
      at: CREATED.handoff.at,
      reference: REQUEST.reference,
      context: REQUEST.context,
      actor: REQUEST.createdBy,
      handoff: CREATED.handoff,
    },
    {
      event: "request.submitted",
      at: REQUEST.createdAt,
      reference: REQUEST.reference,
      context: REQUEST.context,
      actor: REQUEST.createdBy,
      handoff: { status: "pending", since: REQUEST.createdAt },
    },
  ],
  nextCursor: null,
};
