"""What reads the pages of a flow."""

from enum import StrEnum


class Runner(StrEnum):
    """Processes of this machine, or a Dask cluster."""

    LOCAL = "local"
    DASK = "dask"
