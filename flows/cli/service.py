"""The verbs that have runs start by themselves."""

# ruff: noqa: PLC0415, PLR0913, PLR0917 - a verb imports what it alone needs, so that each starts
# fast; and its parameters are its options.

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.console import err, out

if TYPE_CHECKING:
    from prefect.schedules import Schedule

    from flows.inbox import Inbox
    from flows.notify import Notify

app = typer.Typer()

Inputs = Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Folders of scans.")]
Templates = Annotated[Path, typer.Option(metavar="DIR", help="Folder of templates.")]
Output = Annotated[Path, typer.Option(metavar="DIR", help="Folder for results; not in an inbox.")]
CronLine = Annotated[str, typer.Option(metavar="LINE", help='When, as in "0 2 * * 1-5".')]
Every = Annotated[str, typer.Option(metavar="TIME", help="How often, as in 90s, 15m, 2h, 1d.")]
Zone = Annotated[
    str, typer.Option(metavar="NAME", help="Time zone, as Europe/Berlin; else this machine's.")
]
Name = Annotated[str, typer.Option(help="Of the deployment; else after the inbox.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes that read.")]
Database = Annotated[
    str, typer.Option(metavar="URL", help="Results database; else results.db in the output.")
]
Profile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What to accept, as calibrate writes it.")
]
Move = Annotated[
    bool,
    typer.Option("--move", help="Move read files to done/, failed/, duplicate/ below the inbox."),
]
Webhook = Annotated[str, typer.Option(metavar="URL", help="Gets JSON when a run has ended.")]
Command = Annotated[
    str, typer.Option(metavar="LINE", help="Run when a run has ended, with the JSON on its stdin.")
]
QueueAbove = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Tell when more fields wait for a person.")
]
TellOf = Annotated[
    list[str] | None,
    typer.Option(metavar="EVENT", help="completed, failed, crashed, queue; repeatable, else all."),
]


@app.command(
    epilog="Example: [bold]formdigits serve inbox --templates forms --output results "
    '--cron "0 2 * * *" --timezone Europe/Berlin[/bold]'
)
def serve(
    inputs: Inputs,
    templates: Templates,
    output: Output,
    cron: CronLine = "",
    interval: Every = "",
    timezone: Zone = "",
    name: Name = "",
    workers: WorkersOption = 1,
    database: Database = "",
    profile: Profile = None,
    move: Move = False,
    webhook: Webhook = "",
    command: Command = "",
    queue_above: QueueAbove = None,
    tell_of: TellOf = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Answer Prometheus here.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of that port.")] = "127.0.0.1",
) -> None:
    """Read what arrives in an inbox, again and again, until Ctrl-C; then the schedule pauses."""
    from flows.inbox import Inbox
    from flows.server import reachable_server

    notify = _notify(webhook, command, queue_above, tell_of)
    options = _options(profile, move=move)
    inbox = Inbox(inputs, templates, output, name, workers, database, notify, options)
    _check(inbox)
    schedule = _schedule(cron, interval, timezone)
    with reachable_server() as url, ExitStack() as stack:
        from flows.deployments import plan_extract
        from flows.serving import serve_forever

        if metrics_port is not None:
            from flows.metrics import Watched, exposed

            watched = Watched(output, database, url, f"extract/{inbox.title}")
            address = stack.enter_context(exposed(watched, metrics_host, metrics_port))
            _say(f"metrics at {address}")
        _say(f"serving extract/{inbox.title}; its runs are shown at {url.removesuffix('/api')}")
        _say("Ctrl-C pauses the schedule and ends this")
        serve_forever(plan_extract(inbox, schedule), url, _say)


@app.command(
    epilog="Example: [bold]formdigits deploy inbox --templates forms --output results "
    '--cron "0 2 * * *" --pool formdigits[/bold], then on each machine that is to read '
    "[bold]prefect worker start --pool formdigits[/bold]"
)
def deploy(
    inputs: Inputs,
    templates: Templates,
    output: Output,
    pool: Annotated[
        str, typer.Option(metavar="NAME", help="Process work pool; made if it is not there.")
    ] = "formdigits",
    cron: CronLine = "",
    interval: Every = "",
    timezone: Zone = "",
    name: Name = "",
    workers: WorkersOption = 1,
    database: Database = "",
    profile: Profile = None,
    move: Move = False,
    webhook: Webhook = "",
    command: Command = "",
    queue_above: QueueAbove = None,
    tell_of: TellOf = None,
    apply_reviews_every: Annotated[
        str,
        typer.Option(metavar="TIME", help="Write people's decisions into the results so often."),
    ] = "",
    truth: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="What stands on the scans: deploys evaluate, too."),
    ] = None,
    lost_after: Annotated[
        int,
        typer.Option(min=60, metavar="SECONDS", help="A run silent for so long is taken over."),
    ] = 180,
) -> None:
    """Have the workers of a Prefect work pool read what arrives in an inbox."""
    from flows.inbox import Inbox
    from flows.server import configured_server

    notify = _notify(webhook, command, queue_above, tell_of)
    options = _options(profile, move=move)
    inbox = Inbox(inputs, templates, output, name, workers, database, notify, options)
    _check(inbox)
    schedule = _schedule(cron, interval, timezone)
    reviews = _schedule("", apply_reviews_every, timezone) if apply_reviews_every else None
    url = configured_server()
    from flows.deployments import deploy_all, plan_evaluate, plan_extract, plan_review

    planned = [plan_extract(inbox, schedule, pool), plan_review(inbox, reviews, pool)]
    if truth:
        planned.append(plan_evaluate(inbox, truth, pool))
    for title in deploy_all(planned, pool, lost_after):
        out.print(title, soft_wrap=True, highlight=False)
    _say(f"deployed to {url}; on each machine that is to read: prefect worker start --pool {pool}")


def _notify(
    webhook: str, command: str, queue_above: int | None, tell_of: list[str] | None
) -> "Notify | None":
    from pydantic import ValidationError

    from flows.notify import Notify

    given = {"webhook": webhook or None, "command": command, "queue_above": queue_above}
    try:
        notify = Notify.model_validate(given | ({"events": tell_of} if tell_of else {}))
    except ValidationError as error:
        first = error.errors()[0]
        place, bad = str(first["loc"][0]), first["input"]
        option = {"events": "--tell-of"}.get(place, f"--{place.replace('_', '-')}")
        raise typer.BadParameter(f"{bad!r}: {first['msg']}", param_hint=option) from error
    if not notify.webhook and not notify.command:
        if queue_above is not None or tell_of:
            raise typer.BadParameter("say whom to tell: --webhook or --command")
        return None
    return notify


def _options(profile: Path | None, *, move: bool) -> dict[str, Any]:
    rules = {"rules": {"profile": str(profile.resolve())}} if profile else {}
    return {"move": move, **rules}


def _check(inbox: "Inbox") -> None:
    from flows.inbox import check_folders
    from pipeline.template import load_templates

    check_folders(inbox.inputs, inbox.output)
    load_templates(inbox.templates)


def _schedule(cron: str, interval: str, timezone: str) -> "Schedule":
    from flows.schedule import ScheduleError, make_schedule

    try:
        return make_schedule(cron, interval, timezone)
    except ScheduleError as error:
        raise typer.BadParameter(str(error), param_hint=error.option) from error


def _say(text: str) -> None:
    err.print(text, soft_wrap=True, highlight=False)
