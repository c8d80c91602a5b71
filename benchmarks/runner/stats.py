"""Medians of per-round figures, and how far the rounds lie apart."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Summary:
    median: float
    low: float
    high: float
    rounds: int


def summarize(values):
    if not values:
        raise ValueError("no round gave a figure")
    return Summary(median(values), min(values), max(values), len(values))


def ratio(numerator, denominator):
    if denominator <= 0:
        raise ValueError(f"a ratio to {denominator}: the peer measured nothing")
    return numerator / denominator


def order_of_round(names, number):
    """A B, B A, A B, ...: what drifts during a run weighs on every system alike."""
    names = list(names)
    return names if number % 2 == 0 else names[::-1]
