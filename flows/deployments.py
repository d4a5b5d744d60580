"""What Prefect is told to run: parameters, schedule, one run an inbox at a time, and take-over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
)
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType

from flows.evaluate import evaluate
from flows.extract import extract
from flows.inbox import Inbox
from flows.review import review
from flows.taking_over import HEARTBEAT_S, LOST_S, TAG, put_in_place
from pipeline.errors import ExtractionError

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
    return _plan(review, inbox, schedule, pool, {"output": inbox.parameters()["output"]})


def plan_evaluate(inbox: Inbox, truth: Path, pool: str) -> RunnerDeployment:
    """Describe the runs that measure the network on forms of an inbox that people have read too."""
    known = inbox.parameters()
    parameters = {
        "forms": known["inputs"],
        "templates": known["templates"],
        "truth": str(truth.resolve()),
        "output": f"{known['output']}/evaluation",
    }
    return _plan(evaluate, inbox, None, pool, parameters)


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
    put_in_place(lost_s)
    return [f"{deployment.flow_name}/{deployment.name}" for deployment in deployments]
