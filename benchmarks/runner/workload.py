"""A workload: the systems that do one thing, and the rows of the table that follow from it."""

from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Context:
    build: str
    quick: bool = False

    def few(self, full, quick):
        return quick if self.quick else full


@dataclass
class Workload:
    name: str
    # system -> a function of the context that runs it once, and returns its figures
    systems: dict[str, Callable]
    # row of the table -> a function from {system: figures} of one round to that row's figure
    rows: dict[str, Callable]
    rounds: int | None = None  # None: as many as the run has
    error: str | None = None
    raw: list = field(default_factory=list)
    values: dict[str, list] = field(default_factory=dict)

    def wants(self, number):
        return self.error is None and (self.rounds is None or number < self.rounds)

    def finish_round(self, results):
        self.raw.append(results)
        for row, figure_of in self.rows.items():
            self.values.setdefault(row, []).append(figure_of(results))


def per_op(figures):
    return figures["seconds"] / figures["ops"]
