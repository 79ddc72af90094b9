"""The rows of a requirement sheet for one munition: what its draws are, worked out some members at a time, and their percentiles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from stockpile.analysis.purchases import AVERAGED, Purchases, Quantity, fiscal_year
from stockpile.analysis.rebuilding import AT_ONCE, Ahead, Plan, members_of, reached
from stockpile.clock import ONE_DAY, Array
from stockpile.scenario import Scenario

QUANTILES = (0.05, 0.5, 0.95)
YEARS = 60
"""Years over which it is looked for: beyond the longest time that division by published rates gives, 44 years."""
VARIANTS = {"published": 1.0, "doubled": 2.0}
RATES = ("requested", "average")
LIMITS, TRANSFERS = ("money", "line"), ("as under none", "stopped")
PURCHASES = "purchases"
TERMS = {"lead_time": "lead", "lot_span": "span", "us_share": "us_share"}
"""What a new order comes on: columns of the sheet, and what `Ahead` calls them."""
Row = dict[str, Any]
Found = Mapping[tuple[str, ...], Array]


def months_after(date: dt.date) -> dt.date:
    """Return the first of the month that begins after a date."""
    return dt.date(date.year + date.month // 12, date.month % 12 + 1, 1)


class Munition:
    """The sheet of one munition."""

    def __init__(self, scenario: Scenario, munition: str, bought: Purchases, by: dt.date, members: int, seed: int) -> None:
        self.scenario, self.munition, self.bought, self.by = scenario, munition, bought, by
        self.requirements = scenario.munitions[munition].requirements
        self.seed, self.members = seed, members
        request, averaged = bought.request, bought.averaged
        drawn = {}
        if request:
            drawn["requested"] = request.drawn(seed, members)
        if averaged:
            drawn["average"] = np.asarray(sum(one.drawn(seed, members) for one in averaged)) / AVERAGED
        self.rates: dict[str, Array] = drawn
        self.first = bought.first
        self.parts: dict[tuple[str, ...], list[Array]] = {}

    def rows(self) -> dict[str, list[Row]]:
        """Return the rows of all frames."""
        self._work()
        at_once = {key: np.concatenate(parts, axis=-1) for key, parts in self.parts.items()}
        return {
            "sheet": self._sheet(at_once), "years": self._years(at_once), "by_date": self._by_date(at_once),
            "purchases": self._purchases(at_once), "rates": self._rates(),
        }

    def _work(self) -> None:
        """Run the members, some at a time."""
        years = max(YEARS if self.rates else 0, self.by.year - self.scenario.as_of.year + 1)
        start = self.scenario.settings.start
        assert start is not None
        end = months_after(max(self.scenario.as_of, start)).replace(year=max(self.scenario.as_of.year, start.year) + years)
        scenario, design = members_of(self.scenario, self.munition, end, self.members, self.seed)
        for first in range(0, self.members, AT_ONCE):
            ahead = Ahead(scenario, self.munition, design, first, min(AT_ONCE, self.members - first))
            self._keep(("stock",), ahead.stock)
            self._keep(("cost",), ahead.unit_cost)
            for name in TERMS:
                self._keep((name,), getattr(ahead, TERMS[name]))
            for name, level in ahead.levels.items():
                self._keep(("level", name), level)
            self._reach(ahead, slice(first, first + len(ahead.stock)))
            self._needed(ahead)

    def _keep(self, key: tuple[str, ...], values: Array) -> None:
        self.parts.setdefault(key, []).append(np.asarray(values))

    def _reach(self, ahead: Ahead, members: slice) -> None:
        """Keep the years to each level at each rate."""
        if not self.rates or not ahead.levels:
            return
        cases = [(rate, limit, transfers) for rate in self.rates for limit in LIMITS for transfers in TRANSFERS]
        plan = Plan(
            np.stack([self.rates[rate][members] for rate, _, _ in cases]), self.first,
            line_limits=np.array([[limit == "line"] for _, limit, _ in cases]),
            transfers=np.array([[transfers == TRANSFERS[0]] for _, _, transfers in cases]),
        )
        stocks = ahead.stocks(plan, max(VARIANTS.values()) * np.max(list(ahead.levels.values()), axis=0))
        since = ahead.clock.at(self.scenario.as_of + ONE_DAY)
        for name, level in ahead.levels.items():
            for variant, times in VARIANTS.items():
                years = reached(stocks, np.broadcast_to(times * level, plan.rounds.shape), ahead.clock, ahead.edge, since)
                for case, found in zip(cases, years, strict=True):
                    self._keep(("years", name, variant, *case), found)

    def _needed(self, ahead: Ahead) -> None:
        """Keep what has to be bought a fiscal year to be at each level by the date."""
        to = int(np.searchsorted(ahead.clock.steps, ahead.clock.at(self.by) - 1e-9))
        if not ahead.levels:
            return
        most = ahead.all_the_line_makes(self.first, to)
        cases = {(name, variant): times * level for name, level in ahead.levels.items() for variant, times in VARIANTS.items()}
        found, lots = ahead.needed(np.stack(list(cases.values())), self.first, to)
        for (case, level), rounds in zip(cases.items(), found, strict=True):
            self._keep(("needed", *case), rounds)
            self._keep(("lots", *case), lots)
            self._keep(("line_can", *case), (most >= level).astype(float))

    # ------------------------------------------------------------ rows

    def _sheet(self, found: Found) -> list[Row]:
        rows: list[Row] = []
        stock = found["stock",]
        terms = {key: value for name in TERMS for key, value in _ranged(name, found[name,]).items()}
        for name, own in self.requirements.items():
            for variant, times in VARIANTS.items():
                level = times * found["level", name]
                rows.append(
                    {"munition": self.munition, "requirement": name, "variant": variant, "title": own.title, "counts": own.counts}
                    | _ranged("level", level) | _ranged("stock", stock) | _ranged("short", np.maximum(level - stock, 0.0))
                    | {"is_named": name == self.scenario.munitions[self.munition].requirement} | terms
                )
        if not rows:
            nothing = np.full(self.members, np.nan)
            rows.append(
                {"munition": self.munition, "requirement": None, "variant": None, "title": None, "counts": None}
                | _ranged("level", nothing) | _ranged("stock", stock) | _ranged("short", nothing) | {"is_named": False}
                | terms
            )
        return rows

    def _years(self, found: Found) -> list[Row]:
        rows: list[Row] = []
        for key, years in found.items():
            if key[0] != "years":
                continue
            _, name, variant, rate, limit, transfers = key
            short = np.maximum(VARIANTS[variant] * found["level", name] - found["stock",], 0.0)
            rounds = self.rates[rate]
            naive = np.where(short > 0.0, np.divide(short, rounds, out=np.full(len(short), np.inf), where=rounds > 0.0), 0.0)
            rows.append(
                {"munition": self.munition, "requirement": name, "variant": variant, "rate": rate, "limit": limit, "transfers": transfers}
                | _ranged("rounds", rounds) | _ranged("", years) | {"never": float(np.isinf(years).mean())} | _ranged("naive", naive)
            )
        return rows

    def _by_date(self, found: Found) -> list[Row]:
        last = fiscal_year(self.by - ONE_DAY)
        request = self.bought.request
        rows: list[Row] = []
        for name in self.requirements:
            for variant in VARIANTS:
                rounds, lots = found["needed", name, variant], found["lots", name, variant]
                for year in range(self.first, last + 1):
                    bought = np.where(np.isinf(rounds) | (lots > year - self.first), rounds, 0.0)
                    rows.append(
                        {"munition": self.munition, "requirement": name, "variant": variant, "fiscal_year": year}
                        | _ranged("rounds", bought) | _ranged("money", bought * found["cost",])
                        | {
                            "money_year": self.scenario.settings.money_year, "cannot": float(np.isinf(rounds).mean()),
                            "too_late": float((lots <= year - self.first).mean()),
                            "line_can": float(found["line_can", name, variant].mean()),
                            "requested": request.span[1] if request and request.first == year else np.nan,
                        }
                    )
        return rows

    def _purchases(self, found: Found) -> list[Row]:
        """Return the plain reading of an objective that counts purchases: what is left to buy, and that over each rate."""
        so_far = self.bought.so_far
        rows: list[Row] = []
        for name, own in self.requirements.items():
            if own.counts != PURCHASES:
                continue
            level = found["level", name]
            nothing = np.full(self.members, np.nan)
            bought = np.asarray(sum(one.drawn(self.seed, self.members) for one in so_far)) if so_far else nothing
            left = np.maximum(level - bought, 0.0)
            row: Row = {"munition": self.munition, "requirement": name, "title": own.title}
            row |= _ranged("level", level) | _ranged("bought", bought) | _ranged("left", left)
            row |= {"first": so_far[0].first if so_far else None, "last": so_far[-1].last if so_far else None}
            row["up_to_date"] = self.bought.is_up_to_date
            for rate in RATES:
                row |= _ranged(f"years_{rate}", left / self.rates[rate] if rate in self.rates else nothing)
            rows.append(row)
        return rows

    def _rates(self) -> list[Row]:
        kept = [*([self.bought.before] if self.bought.before else []), *self.bought.bought, *self.bought.requested]
        return [_published(self.munition, one) for one in kept]


def _published(munition: str, one: Quantity) -> Row:
    low, value, high = one.span
    return {
        "munition": munition, "state": one.state, "first": one.first, "last": one.last, "rounds_low": low, "rounds": value,
        "rounds_high": high, "disputed": one.disputed, "at_least": one.at_least, "observations": "; ".join(one.names),
        "beside": "; ".join(one.beside),
    }


def _ranged(name: str, values: Array) -> Row:
    """Return the percentiles of draws; an infinite one stays so, and of no numbers there are none."""
    if np.isnan(values).any():
        low = middle = high = np.nan
    else:
        low, middle, high = (float(one) for one in np.quantile(values, QUANTILES, method="inverted_cdf"))
    stem = f"{name}_" if name else ""
    return {f"{stem}low": low, name or "middle": middle, f"{stem}high": high}
