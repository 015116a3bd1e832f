"""Calls Deskhand with the client that openapi-python-client generates:

  pip install -r requirements.txt
  openapi-python-client generate --url http://127.0.0.1:8000/openapi.json --meta none --output-path deskhand
"""

import sys
import uuid

from deskhand import AuthenticatedClient
from deskhand.api.audit import list_audit_events
from deskhand.api.support_requests import latest_in_tenant, submit_in_tenant
from deskhand.models import (
    AuditEvents,
    ContextSummary,
    CreateTicket,
    HandoffCreated,
    HandoffFailed,
    HandoffLinked,
    Problem,
    Submission,
    SupportRequest,
)
from deskhand.types import UNSET


def describe(request: SupportRequest) -> str:
    handoff = request.handoff
    if isinstance(handoff, (HandoffCreated, HandoffLinked)):
        return f"ticket {handoff.ticket.reference}"
    if isinstance(handoff, HandoffFailed):
        return handoff.summary
    return handoff.status


base_url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=base_url, token=token)

answer = submit_in_tenant.sync(
    "acme",
    client=client,
    body=Submission(summary="The nightly import stops", handoff=CreateTicket(mode="create")),
    idempotency_key=str(uuid.uuid4()),
)
print(describe(answer) if isinstance(answer, SupportRequest) else answer)

latest = latest_in_tenant.sync("acme", client=client)
assert isinstance(latest, ContextSummary) and latest.support_request is not None
print(describe(latest.support_request))

events: list[str] = []
cursor = UNSET
while len(events) < 10:
    page = list_audit_events.sync("acme", client=client, limit=1, cursor=cursor)
    assert isinstance(page, AuditEvents)
    events += [event.event.value for event in page.events]
    if page.next_cursor is None:
        break
    cursor = page.next_cursor
print(", ".join(events))

refused = submit_in_tenant.sync("acme", client=client, body=Submission(summary=""))
assert isinstance(refused, Problem)
print("; ".join(f"{error.pointer} {error.detail}" for error in refused.errors))
