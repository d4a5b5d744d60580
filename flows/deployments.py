"""What Prefect is told to run: parameters, schedule, one run an inbox at a time, and take-over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
    StateType,
)
from prefect.deployments.runner import RunnerDeployment
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType

from flows.inbox import Inbox
from pipeline.errors import ExtractionError

TAG: Final = "formdigits"
HEARTBEAT_S: Final = 30
"""Prefect's least."""
LOST_S: Final = 180
"""A busy machine may take a minute until a process that it starts gives its first sign of life."""
ONE_AT_A_TIME: Final = ConcurrencyLimitConfig(
    limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
)


def plan_extract(inbox: Inbox, schedule: Schedule | None, pool: str = "") -> RunnerDeployment:
    """Describe the runs that read an inbox.

    Args:
        inbox: What they read.
        schedule: When; None for runs that somebody starts.
        pool: Work pool whose workers run them; if none, whoever serves the deployment does.
    """
    from flows.extract import extract  # noqa: PLC0415 - the metrics alone do without

    folders = ", ".join(path.name for path in inbox.inputs)
    planned = extract.to_deployment(
        inbox.title,
        schedule=schedule,
        paused=False,
        parameters=inbox.parameters(),
        # Who serves runs one at a time anyway, and Prefect's limit outlives a run that was killed.
        concurrency_limit=ONE_AT_A_TIME if pool else None,
        description=f"Reads what is new in {folders} into {inbox.output}.",
        tags=[TAG],
        work_pool_name=pool or None,
        job_variables=_job_variables() if pool else None,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", planned)  # a coroutine only where a loop runs already


def plan_review(inbox: Inbox, schedule: Schedule | None, pool: str) -> RunnerDeployment:
    """Describe the runs that write what people decided into an inbox's results."""
    from flows.review import review  # noqa: PLC0415

    return _plan(review, inbox, schedule, pool, {"output": str(inbox.output.resolve())})


def plan_evaluate(inbox: Inbox, truth: Path, pool: str) -> RunnerDeployment:
    """Describe the runs that measure the network on forms of an inbox that people have read too."""
    from flows.evaluate import evaluate  # noqa: PLC0415

    parameters = inbox.parameters()
    own = {"forms": parameters["inputs"], "templates": parameters["templates"]}
    folder = str(inbox.output.resolve() / "evaluation")
    return _plan(
        evaluate, inbox, None, pool, {**own, "truth": str(truth.resolve()), "output": folder}
    )


def _plan(
    flow: Flow[..., Any],
    inbox: Inbox,
    schedule: Schedule | None,
    pool: str,
    parameters: dict[str, Any],
) -> RunnerDeployment:
    planned = flow.to_deployment(
        inbox.title,
        schedule=schedule,
        parameters=parameters,
        concurrency_limit=ONE_AT_A_TIME,
        tags=[TAG],
        work_pool_name=pool,
        job_variables=_job_variables(),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", planned)  # a coroutine only where a loop runs already


def _job_variables() -> dict[str, Any]:
    return {"env": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S)}}


def deploy_all(
    deployments: Sequence[RunnerDeployment], pool: str, lost_s: float = LOST_S
) -> list[str]:
    """Put deployments onto the server, with a process work pool and the take-over of lost runs.

    Args:
        deployments: As planned.
        pool: Work pool; made if there is none of the name.
        lost_s: After how long without a heartbeat a run counts as lost.

    Returns:
        The names of the deployments.

    Raises:
        ExtractionError: If there is a pool of the name, of another type.
    """
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        except ObjectAlreadyExists:
            found = client.read_work_pool(pool)
            if found.type != "process":
                raise ExtractionError(
                    f"the work pool {pool!r} is of type {found.type}, not process; name another"
                ) from None
    for deployment in deployments:
        deployment.apply()
    for automation in take_over(lost_s):
        _put(automation)
    return [f"{deployment.flow_name}/{deployment.name}" for deployment in deployments]


def take_over(lost_s: float) -> list[AutomationCore]:
    """Describe how a run whose process or worker died is found, and given to another worker.

    It gives back its place under the limit of one run at a time, too: else a server that forgets it
    (Prefect keeps such leases in memory) would never let another run begin.

    The first calls a run crashed that has begun and gives no sign of life any more; the second has
    every crashed run done again. What is read twice is written once: see `flows.round`.
    """
    ours = ResourceSpecification(
        {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
    )
    runs = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
    one_run = {"prefect.resource.id"}
    states = "Completed", "Failed", "Cancelled", "Crashed", "AwaitingRetry"
    ended = {f"prefect.flow-run.{state}" for state in states}
    begun = {f"prefect.flow-run.{sign}" for sign in ("Pending", "Running", "heartbeat")}
    return [
        AutomationCore(
            name="formdigits: notice lost runs",
            description=f"A run without a heartbeat for {lost_s:.0f} s has crashed.",
            trigger=EventTrigger(
                match=runs,
                match_related=ours,
                after=begun,
                expect=begun | ended,
                for_each=one_run,
                posture=Posture.Proactive,
                threshold=1,
                within=timedelta(seconds=lost_s),
            ),
            actions=[
                ChangeFlowRunState(
                    name=None,
                    state=StateType.CRASHED,
                    message="its worker is silent or gone",
                    force=False,
                )
            ],
        ),
        AutomationCore(
            name="formdigits: do crashed runs again",
            description="Another worker of the pool takes a crashed run over.",
            trigger=EventTrigger(
                match=runs,
                match_related=ours,
                expect={"prefect.flow-run.Crashed"},
                for_each=one_run,
                posture=Posture.Reactive,
                threshold=1,
            ),
            actions=[
                ChangeFlowRunState(
                    name="AwaitingRetry",
                    state=StateType.SCHEDULED,
                    message="to be done again",
                    force=False,
                )
            ],
        ),
    ]


def _put(automation: AutomationCore) -> None:
    """Put an automation onto the server, in place of one of its name."""
    with get_client(sync_client=True) as client:
        for old in client.read_automations_by_name(automation.name):
            client.delete_automation(old.id)
        client.create_automation(automation)
