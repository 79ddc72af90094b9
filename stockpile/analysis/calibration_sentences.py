"""What a calibration found, in sentences made from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.analysis.wording import Names, Row, capital, day, plural, rounded, rows_of

if TYPE_CHECKING:
    from stockpile.evidence.calibrate import Calibration
    from stockpile.scenario import Scenario

OF_STATUS = {
    "fitted": "the figures fitted",
    "held back": "the figures held back",
    "later": "the figures published later",
}
"""What figures are called by what became of them; those left out for a reason are no test of a fit."""
WITHIN = 0.01
"""A change of a score by less than this share of it is called none."""


def of_calibration(found: Calibration, scenario: Scenario | None = None) -> list[str]:
    """Say what moved most, how much the posterior is worth, and whether figures that were not fitted are predicted better or worse.

    Parameters
    ----------
    found : Calibration
    scenario : Scenario, optional
        Gives titles; without, names stand as in the files.
    """
    names = Names.of(found.manifest, scenario)
    count = len(found.fitted)
    known = f"{count} observation{'s' if count != 1 else ''} known on {day(found.manifest['as_of'])}"
    if found.refused:
        return [f"The evidence is too thin, and no layer of parameters is written: {found.refused}.", *_said_of_scores(found)]
    moved = rows_of(found.parameters[found.parameters["moved"]])
    said = [f"Given {known}, {_moved(moved[0], names)}."]
    also = [names.path(row.path) for row in moved[1:4]]
    if also:
        more = len(moved) - 1 - len(also)
        rest = [f"{more} more"] if more else []
        said.append(f"Moved too, by more than chance alone would show: {'; '.join([*also, *rest])}.")
    still = len(found.parameters) - len(moved)
    said.append(f"The other {still} of the {len(found.parameters)} uncertain parameters that were drawn stay as they were.")
    said.append(
        f"The posterior is worth {found.effective:,.0f} independent draws, from {found.unique:,} different particles over "
        f"{len(found.temperatures)} temperature{'s' if len(found.temperatures) != 1 else ''}."
    )
    return [*said, *_said_of_scores(found)]


def _moved(row: Row, names: Names) -> str:
    """Return how the parameter that moved most has moved."""
    return f"{names.path(row.path)} moves most: {interval(row, 'prior')} before, {interval(row, 'posterior')} after"


def interval(row: Row, side: str) -> str:
    """Return median and 90 % interval of a parameter, prior or posterior, in digits that its width supports."""
    low, middle, high = (getattr(row, f"{side}_{which}") for which in ("low", "middle", "high"))
    first, _, per = row.unit.partition("/")
    unit = ("" if first == "1" else f" {plural(first, 2)}") + (f" a {per}" if per else "")
    return f"{rounded(middle, high - low)} ({rounded(low, high - low)} to {rounded(high, high - low)}){unit}"


def _said_of_scores(found: Calibration) -> list[str]:
    """Say how well figures are predicted before and after, by what became of them."""
    said = []
    for row in rows_of(found.scores()):
        if row.status not in OF_STATUS:
            continue
        what = f"{OF_STATUS[row.status]} ({row.observations})"
        change = row.after - row.before
        how = "as well as before" if abs(change) < WITHIN * row.before else "better than before" if change < 0 else "worse than before"
        said.append(
            f"{capital(what)} are predicted {how}: their mean score (CRPS, lower is better) is {100.0 * row.before:.3g} % of the figure "
            f"under the prior and {100.0 * row.after:.3g} % under the posterior."
        )
    return said
