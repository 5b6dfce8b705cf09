"""One measured figure beside its budget."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` in ``unit``; met where it is not above ``budget``."""

    id: str
    what: str
    value: float
    budget: float
    unit: str

    @property
    def is_met(self) -> bool:
        return self.value <= self.budget


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def table(figures: Sequence[Figure], calibration: Mapping[str, float]) -> str:
    """The figures as a table, the misses marked. ``calibration`` is what to divide by, for each unit that has one."""
    head = f"{'id':9} {'figure':58} {'measured':>10} {'unit':6} {'budget':>8} {'ratio':>8}"
    return "\n".join([head, *(_row(figure, calibration.get(figure.unit)) for figure in figures)])


def _row(figure: Figure, calibration: float | None) -> str:
    ratio = f"{figure.value / calibration:8.2f}" if calibration else " " * 8
    verdict = "ok" if figure.is_met else "OVER"
    return (
        f"{figure.id:9} {figure.what:58} {figure.value:10.2f} {figure.unit:6} {figure.budget:8.2f} {ratio}  {verdict}"
    )
