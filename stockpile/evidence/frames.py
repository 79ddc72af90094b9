"""Prior beside posterior as frames: observations, parameters, and what moves together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats
from scipy.special import ndtri

from stockpile import philox, schema, shapes
from stockpile.clock import Array, Clock
from stockpile.draws import Central, Columns
from stockpile.evidence.chosen import Chosen
from stockpile.evidence.moved import CHANCE, MIDDLE, Movement, narrowing
from stockpile.evidence.reading import Reading
from stockpile.evidence.scoring import crps
from stockpile.evidence.smc import Indices
from stockpile.lookup import Numbers
from stockpile.scenario import Scenario
from stockpile.tables import Table

if TYPE_CHECKING:
    import pandas as pd

OBSERVATIONS = (
    "name", "title", "munition", "status", "because", "date", "published", "kind", "value", "low", "high", "unit",
    "prior_low", "prior_middle", "prior_high", "posterior_low", "posterior_middle", "posterior_high",
    "crps_before", "crps_after", "holds_before", "holds_after",
)
PARAMETERS = (
    "path", "unit", "from", "prior_low", "prior_middle", "prior_high", "posterior_low", "posterior_middle", "posterior_high",
    "distance", "by_chance", "moved", "narrowing", "narrowing_error", "effective",
)
CORRELATIONS = ("path", "other", "prior", "posterior", "by_chance")
PLANS = ".plans."


# ---------------------------------------------------------------- observations


def observations(chosen: Sequence[Chosen], before: dict[str, Array], after: dict[str, Array], seed: int) -> pd.DataFrame:
    """Return a row an observation, columns as of `OBSERVATIONS`.

    Parameters
    ----------
    chosen : sequence of Chosen
    before, after : dict
        What it counts in the model, by its name, under prior and posterior; missing where there is none.
    seed : int
        Of the errors of reading, the same before and after: quantiles are of the figure that would be reported.
    """
    import pandas as pd

    return pd.DataFrame([_observation(one, before, after, seed) for one in chosen], columns=list(OBSERVATIONS))


def _observation(one: Chosen, before: dict[str, Array], after: dict[str, Array], seed: int) -> dict[str, Any]:
    entry, item, reading = one.entry, one.entry.observation, one.entry.reading
    row: dict[str, Any] = {
        "name": entry.name, "title": item.title, "munition": item.munition or item.item, "status": one.status, "because": one.because,
        "date": item.day, "published": entry.published,
    }
    if reading is None or entry.measure is None:
        return row
    per_month = entry.measure.per_month or entry.measure.kind == "capacity"
    row |= {"kind": reading.kind, "value": reading.value, "low": reading.low, "high": reading.high}
    row |= {"unit": "round/month" if per_month else "round"}
    for when, found, side in (("before", before, "prior"), ("after", after, "posterior")):
        if entry.name in found:
            row |= _beside(entry.name, reading, found[entry.name], when, side, seed)
    return row


def _beside(name: str, reading: Reading, predicted: Array, when: str, side: str, seed: int) -> dict[str, float]:
    """Return what a prediction says of a figure: quantiles, and its score, or how often the inequality holds."""
    draws = reading.as_read(predicted, philox.uniforms(seed, f"{name}\nreport", 0, len(predicted)))
    about = reading.kind == "about"
    found = {f"crps_{when}": crps(draws, reading.value)} if about else {f"holds_{when}": reading.probability(predicted)}
    ends = np.quantile(draws, MIDDLE)
    return found | {f"{side}_{which}": float(end) for which, end in zip(("low", "middle", "high"), ends, strict=True)}


# ---------------------------------------------------------------- parameters


def parameter_at(scenario: Scenario, path: str) -> schema.Parameter | None:
    """Return the parameter whose name a stream of draws bears, for an announced plan the level that gives its shape; else None."""
    base = path.partition(PLANS)[0] + ".capacity" if PLANS in path else path
    node: Any = scenario.tree
    for step in base.split("."):
        node = node.get(step) if isinstance(node, dict) else None
    if not isinstance(node, dict) or "unit" not in node or "@" in path:
        return None
    assert scenario.settings.start and scenario.settings.end
    return Numbers(scenario, Central(), Clock(scenario.settings.start, scenario.settings.end, 1, ())).find(base)


def pieces_of(scenario: Scenario, path: str, parameter: schema.Parameter, point: schema.Evidence) -> shapes.Pieces | None:
    """Return the table of quantiles that a point is drawn by; None where it is not drawn."""
    columns = Columns(scenario)
    number = columns.number(path, parameter, point, "")
    return None if number is None else columns.columns[number].pieces


def _points(scenario: Scenario, path: str, parameter: schema.Parameter) -> Sequence[schema.Evidence]:
    if PLANS not in path:
        return parameter.points
    part, _, name = path.partition(PLANS)
    node: Table = scenario.tree
    for step in part.split("."):
        node = node[step]
    return [schema.Plan.model_validate(node["plans"][name])] if name in node["plans"] else []


def parameters(
    scenario: Scenario, streams: Sequence[str], uniforms: Array, found: Movement, ancestors: Indices, seed: int
) -> pd.DataFrame:
    """Return a row an uncertain parameter, those that moved first; of a dated one the last point in force, columns as of `PARAMETERS`.

    It has moved where the distance, or the narrowing, is beyond what chance alone would show.
    """
    import pandas as pd

    rows = []
    sure = float(stats.norm.isf(0.25 * CHANCE / max(len(streams), 1)))
    for number, path in enumerate(streams):
        parameter = parameter_at(scenario, path)
        points = [] if parameter is None else _points(scenario, path, parameter)
        drawn = [(point, pieces) for point in points if parameter and (pieces := pieces_of(scenario, path, parameter, point))]
        if parameter is None or not drawn:
            continue
        point, pieces = drawn[-1]
        key = philox.key_of(seed, f"{path}\nnarrowing")
        narrower, error = narrowing(pieces, uniforms[number], ancestors, np.random.Generator(np.random.Philox(key=key)))
        prior = shapes.interpolate(pieces, np.array(MIDDLE))
        posterior = shapes.interpolate(pieces, np.quantile(uniforms[number], MIDDLE))
        numbers = {
            "distance": found.distance[number], "by_chance": found.by_chance[number], "narrowing": narrower, "narrowing_error": error,
            "effective": found.effective[number],
        }
        ends = {f"{side}_{name}": end for side, three in (("prior", prior), ("posterior", posterior)) for name, end in _named(three)}
        moved = bool(found.distance[number] > found.by_chance[number] or abs(narrower) > sure * error)
        rows.append({"path": path, "unit": parameter.unit, "from": getattr(point, "from_", None), "moved": moved, **ends, **numbers})
    frame = pd.DataFrame(rows, columns=list(PARAMETERS))
    return frame.sort_values(["moved", "distance", "path"], ascending=[False, False, True], ignore_index=True)


def _named(three: Array) -> list[tuple[str, float]]:
    return [(name, float(end)) for name, end in zip(("low", "middle", "high"), three, strict=True)]


# ---------------------------------------------------------------- together


def correlations(paths: Sequence[str], rows: Array, groups: dict[tuple[str, str], float], effective: float) -> pd.DataFrame:
    """Return the pairs of parameters that the observations tie together, the strongest first, columns as of `CORRELATIONS`.

    Parameters
    ----------
    paths : sequence of str
    rows : array, shape (paths, particles)
        Uniform numbers.
    groups : dict
        Correlation of pairs under the prior; 0 for all others.
    effective : float
        Independent draws that the particles are worth.
    """
    import pandas as pd

    pairs = list(itertools.combinations(range(len(paths)), 2))
    by_chance = float(stats.norm.isf(0.5 * CHANCE / max(len(pairs), 1))) / np.sqrt(effective)
    together = np.atleast_2d(np.corrcoef(ndtri(rows))) if len(paths) else np.ones((0, 0))
    found = []
    for left, right in pairs:
        prior, posterior = groups.get((paths[left], paths[right]), 0.0), float(together[left, right])
        if abs(posterior - prior) > by_chance:
            found.append((paths[left], paths[right], prior, posterior, by_chance))
    found.sort(key=lambda pair: (-abs(pair[3] - pair[2]), pair[:2]))
    return pd.DataFrame(found, columns=list(CORRELATIONS))
