"""The section of a score: what was reported beside what was predicted, misses first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from stockpile.analysis.score_sentences import (
    MEANING,
    WAYS,
    figure,
    interval,
    main_balance,
    of_score,
    published_use,
    three,
    unit_words,
)
from stockpile.analysis.wording import capital, day, missing
from stockpile.evidence.score import COUNTED, IN, OUT
from stockpile.report import theme, words
from stockpile.report.blocks import Chart
from stockpile.report.tables import DASH, Table, data_link
from stockpile.report.theme import Spec
from stockpile.report.workbench import rows as lines
from stockpile.report.workbench.section import MONTE_CARLO, Group, Section, each, made_with, number, numbers, signed, table

if TYPE_CHECKING:
    from stockpile.evidence.score import Score
    from stockpile.scenario import Scenario

MOST = 24
"""Most rows of a figure; the table has all."""
LIMIT = 3.0
"""Half intervals from the median, beyond which a mark stands at the edge."""
NOT_THIS = (
    "A hit says that a figure lies in a wide interval or meets an inequality, not that the model is right; most figures are of the same "
    "few stocks and lines, so they are not independent, and they are few. Figures a parameter rests on test the bookkeeping alone. "
    f"Official stocks are classified; what is called reported here is mostly an estimate by somebody outside. {MONTE_CARLO}"
)
DATA = (
    "name", "standing", "hit", "date", "published", "statement", "unit", "value", "low", "high", "q05", "q25", "median", "q75", "q95",
    "error", "relative_error", "crps", "pit", "probability", "place",
)
MARKS = (
    (False, True, "miss, counted", theme.VERMILLION, "x"),
    (False, False, "miss, in no total or an input", theme.VERMILLION, "x-open"),
    (True, True, "hit, counted", theme.BLUE, "circle"),
    (True, False, "hit, in no total or an input", theme.BLUE, "circle-open"),
)
"""Hit or not, counted or not, name in the legend, colour, symbol."""


def section(found: Score, id_: str, scenario: Scenario | None) -> Section:
    """Return the section of a score."""
    *said, frozen = of_score(found, scenario)
    return Section(
        id=id_,
        kind="Score",
        title="What was reported, beside what was predicted",
        sentences=tuple(said),
        shown=_shown_as(found),
        groups=tuple(group for way in found.manifest["ways"] if (group := _group(found, way, id_)) is not None),
        tables=tuple(one for one in _tables(found) if one is not None),
        not_this=NOT_THIS,
        facts=made_with(found.manifest, ("Frozen", frozen.removeprefix("Frozen: "))),
        manifest=found.manifest | {"basis": f"over {found.manifest['members']:,} draws"},
    )


def _shown_as(found: Score) -> str:
    return (
        "A row an observation, misses on top. The mark is what was reported, in units of the predictive interval: 0 is the median, "
        f"{words.MINUS}1 and 1 are the ends of the 90 % interval, the thin bar is the 50 % interval; the interval is of what would be "
        f"reported, the model's {found.manifest['members']:,} draws with the error of reading added. An inequality is marked where it is "
        "nearest to the median, and misses where it holds with less than 5 %. What lies beyond 3 stands at the edge. Crosses miss, circles "
        "hit; open ones are in no total, or a parameter rests on them."
    )


def _group(found: Score, way: str, id_: str) -> Group | None:
    frame = found.observations[found.observations["campaigns"] == way]
    charts = []
    for sample in (OUT, IN):
        own = frame[frame["sample"] == sample]
        if len(own):
            charts.append(_chart(found, _misses_first(own), way, sample, f"{id_}-{way}-{sample.split()[0]}"))
    added = found.manifest["ways"][way]["events_put_in"]
    said = [f"{capital(MEANING[way])}.", *([f"Events put in: {', '.join(added)}."] if added else [])]
    return Group(capital(WAYS[way]), tuple(charts), tuple(said)) if charts else None


def _misses_first(own: pd.DataFrame) -> pd.DataFrame:
    """Return counted misses, other misses, counted hits and other hits, each as they come."""
    order = own.assign(_other=own["standing"] != COUNTED).sort_values(["hit", "_other"], kind="stable").index
    return own.loc[order]


def _chart(found: Score, own: pd.DataFrame, way: str, sample: str, id_: str) -> Chart:
    rows = each(own)
    counted = [row for row in rows if row.standing == COUNTED]
    hits = sum(bool(row.hit) for row in counted)
    known = day(found.manifest["as_of"])
    when = f"published after {known}" if sample == OUT else f"published by {known}"
    left = len(rows) - MOST
    notes = (f"{left} more rows are in the table, all of them {_kind_of(rows[MOST:])}.",) if left > 0 else ()
    title = f"{hits} of {len(counted)} counted figures hit" if counted else "No figure counts"
    named = "; ".join(f"{row.title}: {'hit' if row.hit else 'miss'}, {row.standing}" for row in rows[:MOST])
    return Chart(
        id_,
        f"{capital(sample)}, {WAYS[way]}: {title}",
        f"Reported against predicted, {when}, in halves of the 90 % interval",
        f"Dot chart of {len(rows)} observations against their predictive intervals, {sample}, {WAYS[way]}. {named}.",
        _spec(rows[:MOST]),
        _full(rows, f"{capital(sample)}, {WAYS[way]}: every observation, misses first"),
        data_link(DATA, ([_datum(getattr(row, name)) for name in DATA] for row in rows)),
        notes,
    )


def _kind_of(rows: Sequence[Any]) -> str:
    return "hits" if all(row.hit for row in rows) else "after those drawn"


def _datum(value: Any) -> Any:
    return "" if missing(value) else value if isinstance(value, str | bool) else number(value)


def _spec(rows: Sequence[Any]) -> Spec:
    labels = [_label(row) for row in rows]
    found = lines.layout(labels, "halves of the 90 % predictive interval from its median", range=[-LIMIT - 0.3, LIMIT + 0.3])
    found["shapes"] = [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": -1, "x1": 1, "y0": 0, "y1": 1, "fillcolor": theme.BAND,
            "line": {"width": 0}, "layer": "below",
        },
        {"type": "line", "xref": "x", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "line": {"color": theme.MUTED, "width": 1}},
    ]
    return {"data": [_middle(rows), *_marks(rows)], "layout": found}


def _label(row: Any) -> str:
    standing = "" if row.standing == COUNTED else f" ({row.standing})"
    return f"{row.title}, {figure(row)} {unit_words(row.unit)}{standing}"


def _middle(rows: Sequence[Any]) -> Spec:
    """Return the 50 % intervals as thin bars."""
    x: list[Any] = []
    y: list[Any] = []
    for place, row in enumerate(rows):
        below, above = row.median - row.q05, row.q95 - row.median
        x += [(row.q25 - row.median) / below if below > 0 else 0.0, (row.q75 - row.median) / above if above > 0 else 0.0, None]
        y += [place, place, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": y,
        "name": "50 % interval",
        "line": {"color": theme.MUTED, "width": 2},
        "hoverinfo": "skip",
    }


def _marks(rows: Sequence[Any]) -> list[Spec]:
    data: list[Spec] = []
    for is_hit, is_counted, name, colour, symbol in MARKS:
        places = [place for place, row in enumerate(rows) if bool(row.hit) == is_hit and (row.standing == COUNTED) == is_counted]
        if not places:
            continue
        own = [rows[place] for place in places]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": numbers(min(max(row.place, -LIMIT), LIMIT) for row in own),
                "y": places,
                "name": name,
                "marker": {"color": colour, "symbol": symbol, "size": 11, "line": {"color": colour, "width": 2}},
                "hovertext": [words.label(_hover(row)) for row in own],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    return data


def _hover(row: Any) -> str:
    chance = "" if missing(row.probability) else f", holds with {words.percent(row.probability)}"
    return f"{row.title}: {figure(row)}; median {three(row.median)}, 90 % {interval(row)} {unit_words(row.unit)}{chance}"


def _full(rows: Sequence[Any], caption: str) -> Table:
    columns = (
        "Observation", "Verdict", "Stands as", "Date", "Published", "Reported", "Median", "50 % interval", "90 % interval", "Unit", "Error",
        "Error, %", "CRPS", "PIT", "Holds with",
    )
    cells = (
        (
            row.title,
            "hit" if row.hit else "miss",
            row.standing,
            row.date,
            row.published,
            figure(row),
            signed(three(row.median)),
            signed(interval(row, "q25", "q75")),
            signed(interval(row)),
            unit_words(row.unit),
            signed(three(row.error)),
            DASH if missing(row.relative_error) else signed(f"{100 * row.relative_error:.0f}"),
            DASH if missing(row.crps) else signed(three(row.crps)),
            DASH if missing(row.pit) else f"{row.pit:.2f}",
            DASH if missing(row.probability) else words.percent(row.probability),
        )
        for row in rows
    )
    return table(caption, columns, cells)


# ---------------------------------------------------------------- tables


def _tables(found: Score) -> list[Table | None]:
    return [_coverage(found), _pit(found), _kinds(found), _balance(found), *_denominators(found), _left_out(found)]


def _share(row: Any) -> str:
    return f"{words.percent(row.share)} ({100 * row.share_low:.0f} to {100 * row.share_high:.0f})"


def _coverage(found: Score) -> Table | None:
    rows = each(found.coverage)
    cells = (
        (f"{capital(row.sample)}, {WAYS[row.campaigns]}", f"{100 * row.level:.0f} %", str(row.figures), str(row.inside), _share(row))
        for row in rows
    )
    note = "Counted values alone, no inequalities. The interval of the share is binomial, as if the figures were independent; they are not."
    columns = ("Which", "Interval", "Values", "Inside", "Share (95 % interval)")
    return table("How often the predictive intervals hold what was reported", columns, cells, note) if rows else None


def _pit(found: Score) -> Table | None:
    cells = [
        (
            f"{capital(row['sample'])}, {WAYS[row['campaigns']]}", f"{row['from']:g} to {row['to']:g}", str(row["figures"]),
            f"{row['expected']:.1f}",
        )
        for row in found.pit.to_dict("records")
    ]
    columns = ("Which", "Share of the draws below", "Values", "Expected of a perfect forecast")
    return table("Where the reported values lie in what was predicted", columns, cells) if cells else None


def _kinds(found: Score) -> Table | None:
    rows = each(found.kinds)
    cells = (
        (
            f"{capital(row.sample)}, {WAYS[row.campaigns]}, {row.standing}",
            row.kind,
            str(row.figures),
            str(row.hits),
            f"{row.inside50} and {row.inside90} of {row.values}",
            DASH if missing(row.relative_error) else signed(f"{100 * row.relative_error:+.0f} %"),
            DASH if missing(row.absolute_relative_error) else f"{100 * row.absolute_relative_error:.0f} %",
        )
        for row in rows
    )
    columns = ("Which", "Kind", "Figures", "Hits", "Values in the 50 and the 90 % interval", "Mean error", "Mean size of the error")
    note = "Production, transfers, use and stocks are held against figures of their own, so that errors that cancel in a stock are seen."
    return table("By kind of figure", columns, cells, note) if rows else None


def _balance(found: Score) -> Table | None:
    def ends(row: Any, name: str) -> str:
        low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
        return words.rounds(low) if low == high else f"{words.rounds(low)} to {words.rounds(high)}"

    rows = each(main_balance(found))
    cells = (
        (
            f"{row.munition}, {row.start} to {row.end}",
            ends(row, "from"),
            ends(row, "to"),
            ends(row, "deliveries"),
            ends(row, "transfers"),
            ends(row, "implied"),
            published_use(row) or "not published",
            ends(row, "residual"),
            row.verdict,
            _mind(row) or DASH,
        )
        for row in rows
    )
    columns = (
        "Munition and time", "Stock before", "Stock after", "Delivered to the US", "Transfers", "Use implied", "Use published", "Residual",
        "Verdict", "To be minded",
    )
    note = (
        "Stocks and use as published, with their published ranges; deliveries and transfers as the model has them, 90 % of the draws. "
        "Not fed back."
    )
    return table("Mass balance of published US stocks, rounds", columns, cells, note) if rows else None


def _mind(row: Any) -> str:
    flags = ((row.in_conflict, "a figure in conflict"), (row.set_aside, "a figure set aside"), (row.derived, "worked out from others"))
    return ", ".join(said for flag, said in flags if flag)


def _denominators(found: Score) -> list[Table]:
    """Return a card for each percentage: what it is under each of its denominators."""
    cards = []
    for _, own in found.denominators.groupby("name", sort=False):
        rows = each(own)
        cells = (
            (row.denominator, words.rounds(row.of), words.rounds(row.rounds), row.source)
            for row in rows
        )
        caption = f"{rows[0].title}, {rows[0].date}: {words.percent(rows[0].share)} of what?"
        cards.append(table(caption, ("Denominator", "Rounds", f"{words.percent(rows[0].share)} of it, rounds", "Source"), cells))
    return cards


def _left_out(found: Score) -> Table | None:
    cells = [(row.title, str(row.munition), row.published, row.because) for row in each(found.left_out)]
    columns = ("Observation", "Of", "Published", "Why")
    return table("Observations that are compared with nothing, and why", columns, cells) if cells else None
