"""The two streams: stdout carries what was asked for, stderr everything else."""

from rich.console import Console

out = Console()
err = Console(stderr=True)
