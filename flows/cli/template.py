"""The verbs about templates."""

# ruff: noqa: PLC0415, PLR0913, PLR0917 - a verb imports what it alone needs, so that each starts
# fast; and its parameters are its options.

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import err, out
from pipeline.errors import TemplateError

app = typer.Typer(no_args_is_help=True, help="Check templates, and try how well they read.")

LEVELS = "clean, 300, 200, 150, 100, fax, turned, photo, marker+corner, mix"
DEGRADATIONS = (
    "pens, faint, frames, marker, tint, pattern, holes, stains, corner, scale, crop, bed, skew, "
    "shift, perspective, turn, resolution, paper, light, shadow, specks, blur, noise, jpeg, fax"
)


@app.command(epilog="Example: [bold]formdigits template check forms[/bold]")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of templates.")],
) -> None:
    """Check templates, also against their reference images, and show their fields."""
    from flows.show import show_templates
    from pipeline.reference import check_reference
    from pipeline.template import load_templates

    templates = load_templates(folder)
    show_templates(templates, out)
    complaints = [
        f"{template.template_id}: {line}"
        for template in templates
        for line in check_reference(template)
    ]
    if complaints:
        raise TemplateError("\n".join(complaints))


@app.command(
    epilog="Example: [bold]formdigits template simulate forms/claim --count 20 --output trial "
    "--degrade 200[/bold], then [bold]formdigits extract trial/scans --templates forms --output "
    "read --direct[/bold] and [bold]formdigits score read --truth trial/truth.csv[/bold]. "
    "One kind of damage: [bold]--degrade skew=5,resolution=1,stains=0.5[/bold]"
)
def simulate(
    template: Annotated[
        Path, typer.Argument(metavar="TEMPLATE", help="A template.yaml, or its folder.")
    ],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for scans/ and truth.csv.")],
    count: Annotated[
        int | None,
        typer.Option(min=1, help="How many pages; one for each of --values, else 1."),
    ] = None,
    degrade: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help=f"A level ({LEVELS}), or NAME=STRENGTH,... where 0 is nothing and 1 about the "
            f"worst that offices send, with a NAME of {DEGRADATIONS}. resolution=0.5 is 200 dpi, "
            "1 is 150, 2 is 100; skew=1 turns by up to 2 degrees, 5 by up to 10.",
        ),
    ] = "200",
    digits: Annotated[
        Path | None,
        typer.Option(
            metavar="IDX",
            help="Write with these digits: NAME-images-idx3-ubyte.gz, its labels beside it. "
            "Without, simulated pens write.",
        ),
    ] = None,
    writers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Who wrote each of --digits, a number a line, or an .npz; then each page is in "
            "one hand.",
        ),
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="What to write, as document,page,field,raw; without, values that pass the "
            "template's checks.",
        ),
    ] = None,
    page: Annotated[
        str,
        typer.Option(
            metavar="IMAGE",
            help="The blank page to write on; or reference (the template's, as it is), drawn (a "
            "plain page with the frames), or auto: the reference, its boxes cleared where it is "
            "a filled page.",
        ),
    ] = "auto",
    dpi: Annotated[
        float, typer.Option(min=50, max=1200, help="Resolution of a template in px.")
    ] = 300,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Also where scans lie already.")] = False,
) -> None:
    """Fill a form with simulated writing and scan it, to learn how well it will read."""
    from rich.progress import track

    from flows.simulate import Order, make_pages, prepare

    order = Order(template, output, count, degrade, digits, writers, values, page, dpi, seed, force)
    try:
        job = prepare(order)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--degrade") from error
    err.print(job.remark, soft_wrap=True, highlight=False)
    for _ in track(make_pages(job), "filling", job.count, console=err, transient=True):
        pass
    err.print(
        f"{job.count} pages in {output / 'scans'}, their truth in {output / 'truth.csv'}",
        soft_wrap=True,
        highlight=False,
    )
