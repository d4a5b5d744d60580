"""Which files have arrived, and which are still being written."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

PAUSE_S: Final = 1.0
"""So long a run itself waits for files that are younger; for others the next run comes."""
RACY_S: Final = 3.0
"""File systems keep times to two seconds at worst: a file that was hashed sooner after it was
changed may be changed again without any of its times showing it."""
MARK: Final = ".formdigits"
"""Stands in folders into which files were moved; they are no inbox."""
_TEMPORARY: Final = frozenset(
    {".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".opdownload"}
)
_NOT_YET: Final = ("~$", ".~")


def is_temporary(name: str, names: frozenset[str], kinds: Iterable[str]) -> bool:
    """Tell whether a name says that its file is still being written.

    Args:
        name: Of the file.
        names: Of all files in its folder: browsers put NAME.part beside an empty NAME.
        kinds: Suffixes of scans. A hidden file counts where its name shows that it will be one:
            rsync writes `.scan.jpg.x7Rq2L`.
    """
    if Path(name).suffix.lower() in _TEMPORARY or name.startswith(_NOT_YET):
        return True
    if any(name + suffix in names for suffix in _TEMPORARY):
        return True
    hidden = name.startswith(".") and not name.startswith("._")
    return hidden and any(f"{kind}." in name.lower() + "." for kind in kinds)


def state_of(path: Path) -> str:
    """Give what changes whenever a file's content does: size, times and inode.

    Raises:
        OSError: If the file is not there.
    """
    facts = path.stat()
    return f"{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ctime_ns}:{facts.st_ino}"


def state_or_none(path: Path) -> str:
    """The same, and nothing where the file is not there."""
    try:
        return state_of(path)
    except OSError:
        return ""


def changed_at(state: str) -> float:
    """Give the newer of a file's times, in seconds since 1970."""
    _, mtime_ns, ctime_ns, _ = map(int, state.split(":"))
    return max(mtime_ns, ctime_ns) / 1e9


def is_rested(state: str, now: float, settle_s: float) -> bool:
    """Tell whether a file was left alone for so long; not where its times lie in the future."""
    return changed_at(state) + settle_s <= now


def find_rested(paths: Sequence[Path], settle_s: float) -> set[Path]:
    """Give the files that nobody writes any more.

    A file counts as such if its times are older than `settle_s`. Where they lie in the future, as
    after a clock was set back, it must stay as it is during a pause. A file that was gone counts
    too: that it cannot be read is said elsewhere.

    Args:
        paths: Files.
        settle_s: How long a file must have been left alone; 0 to take all.
    """
    if not settle_s:
        return set(paths)
    began = time.time()
    states = {path: state_or_none(path) for path in paths}
    rested = {
        path for path, state in states.items() if not state or is_rested(state, began, settle_s)
    }
    # Worth a pause: those that will be old enough after it, and those of which no time can tell.
    young = {path: state for path, state in states.items() if path not in rested and state}
    hopeful = {path for path, state in young.items() if _hopeful(state, began, settle_s)}
    if hopeful:
        time.sleep(PAUSE_S)
        rested |= {path for path in hopeful if state_or_none(path) == young[path]}
    return rested


def _hopeful(state: str, now: float, settle_s: float) -> bool:
    return is_rested(state, now + PAUSE_S, settle_s) or changed_at(state) > now
