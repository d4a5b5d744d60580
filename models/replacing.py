"""Whether a new network may take the place of another: not if it is worse on the same samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scipy.stats import binomtest

from models.classifier import load_classifier
from models.evaluation.figures import look_at
from models.samples import Samples
from pipeline.errors import ModelError

CHANCE = 0.01
"""How probable a difference must at least be by chance alone to be let pass."""


def refuse_worse(name: str, held_out: Mapping[str, Samples], *, new: Path, old: Path) -> None:
    """Compare a new network with the one in place, sample by sample.

    Figures of two cards could come from samples of unlike difficulty, so both networks are
    measured again, on the same ones. Only samples count that one of them gets right and the other
    does not; if they are equally good, each of these falls to either like a tossed coin.

    Source: the exact form of McNemar, "Note on the sampling error of the difference between
    correlated proportions or percentages", Psychometrika 12 (1947).

    Args:
        name: The network's.
        held_out: Samples of writers that the new network has not learned from, by set. Never a
            test set: what decides on a network no longer measures it.
        new: Folder of the new network.
        old: Folder of the one in place; it may hold none.

    Raises:
        ModelError: If the new one reads fewer right in one of the sets, and chance would hardly
            do that.
    """
    if not (old / f"{name}.tflite").exists():
        return
    networks = [load_classifier(name, folder) for folder in (new, old)]
    for title, samples in held_out.items():
        ours, theirs = (look_at(network, samples).read == samples.labels for network in networks)
        lost, won = int((theirs & ~ours).sum()), int((ours & ~theirs).sum())
        if lost and binomtest(lost, lost + won, alternative="greater").pvalue < CHANCE:
            raise ModelError(
                f"{name} in {old} stays: of {len(samples)} samples ({title}) it reads "
                f"{int(theirs.sum())} right, the new one {int(ours.sum())}. The new one misreads "
                f"{lost} that the other reads, and reads {won} that the other misreads: more than "
                f"chance explains. It is left in {new}; to keep it, name another folder."
            )
