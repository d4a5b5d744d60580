"""How Prefect finds a run whose process or worker died, and gives it to another worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

TAG: Final = "formdigits"
"""Of the runs that are watched."""
HEARTBEAT_S: Final = 30
"""Prefect's least."""
LOST_S: Final = 180
"""A busy machine may take a minute until a process that it starts gives its first sign of life."""
_OURS: Final = ResourceSpecification(
    {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
)
_RUNS: Final = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
_EACH: Final = {"prefect.resource.id"}


def put_in_place(lost_s: float = LOST_S) -> None:
    """Have the server look after runs, in place of what looked after them before.

    What is read twice is written once, see `flows.round`: so a run that is done again, even one
    that was alive after all, does no harm.

    Args:
        lost_s: After how long without a sign of life a run counts as lost.
    """
    with get_client(sync_client=True) as client:
        for automation in (_notice_lost(lost_s), _do_again()):
            for old in client.read_automations_by_name(automation.name):
                client.delete_automation(old.id)
            client.create_automation(automation)


def _notice_lost(lost_s: float) -> AutomationCore:
    """Call a run crashed that has begun and gives no sign of life any more.

    That gives back its place under the limit of one run at a time, too: else a server that was
    restarted, and keeps such leases in memory, would never let another run begin.
    """
    begun = {f"prefect.flow-run.{sign}" for sign in ("Pending", "Running", "heartbeat")}
    states = "Completed", "Failed", "Cancelled", "Crashed", "AwaitingRetry"
    return AutomationCore(
        name="formdigits: notice lost runs",
        description=f"A run without a sign of life for {lost_s:.0f} s has crashed.",
        trigger=EventTrigger(
            match=_RUNS,
            match_related=_OURS,
            after=begun,
            expect=begun | {f"prefect.flow-run.{state}" for state in states},
            for_each=_EACH,
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=lost_s),
        ),
        actions=[_change(None, StateType.CRASHED, "its worker is silent or gone")],
    )


def _do_again() -> AutomationCore:
    return AutomationCore(
        name="formdigits: do crashed runs again",
        description="Another worker of the pool takes a crashed run over.",
        trigger=EventTrigger(
            match=_RUNS,
            match_related=_OURS,
            expect={"prefect.flow-run.Crashed"},
            for_each=_EACH,
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[_change("AwaitingRetry", StateType.SCHEDULED, "to be done again")],
    )


def _change(name: str | None, state: StateType, message: str) -> ChangeFlowRunState:
    return ChangeFlowRunState(name=name, state=state, message=message, force=False)
