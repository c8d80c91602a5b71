"""A workload: the systems that do one thing, and the rows of the table that follow from it."""

from dataclasses import dataclass, field
from typing import Callable

from .programs import Failure
from .stats import order_of_round, summarize


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
    raw: list = field(default_factory=list)
    values: dict[str, list] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # of a system, or of a row

    def systems_of_round(self, number):
        """In the order in which they take their turns. One that has failed is not run again."""
        if self.rounds is not None and number >= self.rounds:
            return []
        return [s for s in order_of_round(self.systems, number) if s not in self.errors]

    def run_system(self, system, context):
        """Its figures; None if it failed, which costs the rows that need it, not the run."""
        try:
            return self.systems[system](context)
        except (Failure, OSError) as error:
            self.errors[system] = str(error)
        except (KeyError, TypeError, ValueError) as error:
            self.errors[system] = f"{system}: {error!r}"
        return None

    def finish_round(self, results):
        self.raw.append(results)
        for row, figure_of in self.rows.items():
            try:
                self.values.setdefault(row, []).append(figure_of(results))
            except KeyError as missing:
                name = missing.args[0]
                self.errors.setdefault(row, self.errors.get(name, f"no figure named {name}"))
            except (TypeError, ValueError) as error:
                self.errors.setdefault(row, str(error))

    def summary(self, row):
        """Its summary and no error, or the other way round: a median of some rounds is not one."""
        if row in self.errors:
            return None, self.errors[row]
        if values := self.values.get(row):
            return summarize(values), None
        return None, "; ".join(self.errors.values()) or "not measured"


def per_op(figures):
    return figures["seconds"] / figures["ops"]
