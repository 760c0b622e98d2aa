"""Measure rows in rounds, each with the constant view, and format the table."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from .load import HttpRequest, Make, Result, load
from .processes import Server, settled
from .rows import Row

_SMALLEST = 10


@dataclass(frozen=True)
class Target:
    """A server to measure, and the database whose backends work for it."""

    server: Server
    port: int
    database: str


@dataclass
class Figures:
    """What one row cost in each round."""

    row: Row
    #: CPU ms per request, of the web processes and of the database.
    web: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    #: Multiple of the constant view measured right before it.
    ratios: list[float] = field(default_factory=list)
    result: Result = field(default_factory=Result)

    @property
    def is_missed(self) -> bool:
        """Whether even the quietest round was above the budget by more than noise."""
        return self.row.budget is not None and min(self.ratios) > self.row.budget

    def __str__(self) -> str:
        budget = f"{self.row.budget:7g}" if self.row.budget else f"{'–':>7}"
        mark = "MISSED" if self.is_missed else ""
        if not mark and self.row.budget and median(self.ratios) > self.row.budget:
            mark = "near"
        answers = ", ".join(f"{answer} {n}" for answer, n in self.result.answers.most_common())
        return (
            f"{self.row.name:36}{median(self.web):7.2f}{median(self.stored):7.2f}"
            f"{min(self.ratios):8.1f}{median(self.ratios):7.1f}{max(self.ratios):7.1f}{budget}"
            f" {mark:7}{self.result.per_second:7.0f}{self.result.p99:8.1f}  {answers}"
        )


HEAD = (
    f"{'':36}{'web ms':>7}{'db ms':>7}{'min':>8}{'median':>7}{'max':>7}{'budget':>7}"
    f" {'':7}{'req/s':>7}{'p99 ms':>8}  answers"
)


def measure(
    rows: Iterable[tuple[Row, Target]], baseline: Target, *, rounds: int, requests: int
) -> list[Figures]:
    """The figures of the rows, preceded by those of the constant view itself.

    A round measures every row once, each preceded by the constant view, so that other load on the
    machine affects both. One warm-up round comes first and does not count.
    """
    table = [(Figures(row), target) for row, target in rows]
    constant = Figures(Row("the constant view", lambda _: _constant))
    queries: defaultdict[str, int] = defaultdict(int)
    for number in range(rounds + 1):
        for figures, target in table:
            unit, unit_result = _round(baseline, _constant, 0, requests)
            share = max(int(requests * figures.row.share), _SMALLEST)
            make, start = figures.row.make(share), queries[figures.row.name]
            queries[figures.row.name] += share
            cost, result = _round(target, make, start, share)
            if number == 0:
                continue
            for which, spent, met in ((constant, unit, unit_result), (figures, cost, result)):
                which.web.append(spent[0])
                which.stored.append(spent[1])
                which.ratios.append(sum(spent) / sum(unit))
                which.result.add(met)
    return [constant, *(figures for figures, _ in table)]


def _constant(n: int) -> HttpRequest:
    return HttpRequest("/constant/")


def _round(
    target: Target, make: Make, start: int, requests: int
) -> tuple[tuple[float, float], Result]:
    """CPU ms per request of the web processes and of the database, and the clients' result."""
    before = settled(target.server.pid, target.database)
    result = load(target.port, make, start=start, requests=requests)
    web, stored = settled(target.server.pid, target.database).since(before)
    return (web / requests * 1000, stored / requests * 1000), result
