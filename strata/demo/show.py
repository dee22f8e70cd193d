"""The demonstration in the terminal: a live table, or plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.live import Live
from rich.table import Table

from strata.canonical.money import Money
from strata.demo.journey import Journey, spread
from strata.demo.shop import Placed


def ms(seconds: float | None) -> str:
    """Milliseconds, or a dot for what is not there yet."""
    return "·" if seconds is None else f"{seconds * 1000:,.0f} ms"


def amount(placed: Placed) -> str:
    """The total with the digits its currency has: the shop sends `118.6` for 118.60 dollars."""
    return str(Money(Decimal(placed.total), placed.currency).rounded().amount)


def table(journeys: Sequence[Journey]) -> Table:
    """Every order on its way."""
    shown = Table(title=f"Orders on their way ({sum(j.done for j in journeys)} of {len(journeys)} done)", expand=False)
    for name, side in (
        ("order", "left"),
        ("total", "right"),
        ("webhook accepted", "right"),
        ("in the ERP", "right"),
        ("ERP number", "left"),
        ("written back", "right"),
        ("now", "left"),
    ):
        shown.add_column(name, justify="right" if side == "right" else "left", no_wrap=True)
    for one in journeys:
        state = f"[red]{one.step}[/red]" if one.failed else f"[green]{one.step}[/green]" if one.done else one.step
        total = f"{amount(one.placed)} {one.placed.currency}"
        times = (ms(one.accepted_s), ms(one.in_erp_s), one.erp_number or "·", ms(one.written_back_s))
        shown.add_row(one.placed.number, total, *times, state)
    return shown


class Screen:
    """Shows progress: a live table on a terminal; elsewhere a line for each order as it arrives."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=8) if console.is_terminal else None
        self._told: set[str] = set()

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, journeys: Sequence[Journey]) -> None:
        """Show where everything is now."""
        if self._live is not None:
            self._live.update(table(journeys))
            return
        for one in journeys:
            if (one.done or one.failed) and one.placed.key not in self._told:
                self._told.add(one.placed.key)
                self._console.print(line(one), soft_wrap=True, highlight=False, markup=False)


def line(one: Journey) -> str:
    """One order as a line of text."""
    head = f"{one.placed.number:<8} {amount(one.placed):>10} {one.placed.currency}"
    if one.failed:
        return f"{head}  item {one.item} needs a person: {one.failed}"
    times = f"accepted {ms(one.accepted_s)}, in the ERP as {one.erp_number} {ms(one.in_erp_s)}"
    return f"{head}  {times}, written back {ms(one.written_back_s)}"


def summary(journeys: Sequence[Journey]) -> list[str]:
    """What it came to."""
    done = [j for j in journeys if j.done and not j.failed]
    lines = [f"{len(done)} of {len(journeys)} orders went all the way, from the shop to the ERP and back."]
    for what, times in (
        ("webhook accepted", [j.accepted_s for j in done]),
        ("in the ERP", [j.in_erp_s for j in done]),
        ("written back to the shop", [j.written_back_s for j in done]),
    ):
        found = spread(times)
        if found is not None:
            lines.append(f"  {what:<26} median {ms(found.median_s):>9}   worst {ms(found.worst_s):>9}")
    if done:
        lines.append("The steps of one of them:")
        lines += [f"  {name.replace('_', ' '):<26} {took:>6} ms" for name, took in done[-1].steps]
    lines += [f"  item {j.item} ({j.placed.number}): {j.failed}" for j in journeys if j.failed]
    lines += [f"  {j.placed.number} is on its way: {j.step}" for j in journeys if not (j.done or j.failed)]
    return lines
