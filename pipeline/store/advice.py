"""What databases complain of, and what to do about it."""

from typing import Final

_ADVICE: Final = {
    "locked": "another program holds the database; close it and try again",
    "lock timeout": "another program holds the database; close it and try again",
    "full": "the disk is full; free space and try again",
    "disk I/O error": "the disk cannot be written; check that it is there and not full",
    "readonly": "the database may not be written; check its permissions and its folder's",
    "unable to open": "the database cannot be opened; check the folder and its permissions",
    "not a database": "this is no database of formdigits; name another folder",
    "malformed": "the database is damaged; bring back a copy of it, or read the scans again",
    "connection": "the database does not answer; check that it runs, and its address",
    "database system is": "the database is starting or stopping; try again in a moment",
}


def advise(complaint: str) -> str:
    """Say what to do about what a database complains of."""
    for part, advice in _ADVICE.items():
        if part in complaint:
            return f"{advice} ({complaint.splitlines()[0]})"
    return complaint


def may_pass(complaint: str) -> bool:
    """Tell whether a database that complains so may answer in a moment."""
    return any(part in complaint for part in _PASSING)


_PASSING: Final = ("locked", "lock timeout", "connection", "database system is")
