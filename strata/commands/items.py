"""`strata items`: what failed or waits, in plain words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from strata.commands.options import as_json, data


@click.group(invoke_without_command=True)
@as_json
@click.option("--all", "everything", is_flag=True, help="Also what runs and what is done.")
@click.option("--limit", default=50, show_default=True, help="At most so many, newest first.")
@click.option("--cursor", type=int, default=None, help="Go on after the page that ended with this cursor.")
@data
@click.pass_context
def items(ctx: click.Context, as_json: bool, everything: bool, limit: int, cursor: int | None, data_dir: Path) -> None:
    """Show what failed or waits: what is wrong, where, what to do, since when, and how many wait behind it."""
    ctx.obj = data_dir
    if ctx.invoked_subcommand is not None:
        return
    from strata.commands.house import run  # noqa: PLC0415

    run(_list(data_dir, as_json=as_json, everything=everything, limit=limit, cursor=cursor))


async def _list(data_dir: Path, *, as_json: bool, everything: bool, limit: int, cursor: int | None) -> None:
    from strata.commands import words  # noqa: PLC0415
    from strata.commands.house import journal_of  # noqa: PLC0415

    async with journal_of(data_dir) as journal:
        statuses = None if everything else words.FAILED_OR_WAITING
        page = await journal.list_items(status=statuses, cursor=cursor, limit=limit)
        shown: list[words.PlainItem] = []
        for item in page.items:
            told = item.failure_class and item.kind == "run"
            shown.append(words.plain_detail(await journal.get_item(item.id)) if told else words.plain(item))
        counts = await journal.counts()
        paused = await journal.paused()
        alerts = await journal.alerts()
        now = await journal.now()
    if as_json:
        _print_json(
            {
                "schema": 1,
                "items": shown,
                "cursor": page.cursor,
                "counts": [c for c in counts if everything or c.status in words.FAILED_OR_WAITING],
                "paused": paused,
                "alerts": alerts,
            }
        )
        return
    for pause in paused:
        click.echo(
            f"{pause.backend} is left alone ({pause.reason}: {pause.why or '-'}); {pause.parked} items wait for it."
        )
    for alert in alerts:
        click.echo(f"Alert: {alert.message}")
    if not shown:
        click.echo("Nothing failed and nothing waits." if not everything else "There are no items.")
    for item in shown:
        click.echo(_lines(item, now))
    if page.cursor is not None:
        click.echo(f"There is more: strata items --cursor {page.cursor}")


def _lines(item: Any, now: datetime) -> str:
    from strata.commands import words  # noqa: PLC0415

    status = words.STATUSES[words.Status(item.status)]
    name = f"{item.order} of {item.shop}" if item.shop else item.order
    head = f"{item.id:>8}  {name}  {status}, since {words.ago(item.since, now)}"
    lines = [head, f"          {item.what}  [{item.where}]"]
    lines += [
        f"          - {c.where + ': ' if c.where else ''}{c.what}{f' ({c.value})' if c.value else ''}"
        for c in item.causes
    ]
    if item.behind:
        lines.append(f"          {item.behind} more of the same order wait behind it.")
    if item.remedy:
        lines.append(f"          -> {item.remedy}")
    return "\n".join(lines)


@items.command()
@click.argument("item", type=int)
@as_json
@data
@click.pass_context
def show(ctx: click.Context, item: int, as_json: bool, data_dir: Path) -> None:
    """Show everything about one ITEM: its input, steps, failures and who did what to it."""
    from strata.commands.house import run  # noqa: PLC0415

    given_here = ctx.get_parameter_source("data_dir") is ParameterSource.COMMANDLINE
    outer = ctx.find_object(Path)
    data_dir = data_dir if given_here or outer is None else outer  # --data counts before and after `show`
    run(_show(data_dir, item, as_json=as_json))


async def _show(data_dir: Path, item_id: int, *, as_json: bool) -> None:
    from strata.commands import words  # noqa: PLC0415
    from strata.commands.house import journal_of  # noqa: PLC0415

    async with journal_of(data_dir) as journal:
        detail = await journal.get_item(item_id)
        now = await journal.now()
    plain = words.plain_detail(detail)
    if as_json:
        _print_json(
            {
                "schema": 1,
                "item": plain,
                "input": detail.input.decode("utf-8", "replace"),
                "steps": detail.steps,
                "failures": detail.history,
                "audit": detail.audit,
            }
        )
        return
    click.echo(_lines(plain, now))
    click.echo(f"\nProcess {plain.process or '-'}, key {plain.key}, correlation {plain.correlation_id}")
    for step in detail.steps:
        result = step.result.decode("utf-8", "replace")
        click.echo(
            f"  {step.recorded_at:%H:%M:%S.%f} {step.name:<28} {step.kind:<8} {step.took_ms:>6} ms  {result[:60]}"
        )
    for failure in detail.history:
        click.echo(
            f"  failed {failure.at:%Y-%m-%d %H:%M:%S} attempt {failure.attempt} in {failure.step}: {failure.reason}"
        )
    for audit in detail.audit:
        click.echo(f"  {audit.at:%Y-%m-%d %H:%M:%S} {audit.actor}: {audit.action} {audit.why}")
    click.echo("\nInput (strata edit replaces it):\n" + detail.input.decode("utf-8", "replace"))


def _print_json(document: dict[str, Any]) -> None:
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(msgspec.json.encode(_decoded(document))).decode())


def _decoded(value: Any) -> Any:
    """Recorded bytes as the JSON they are, instead of as base64."""
    import msgspec  # noqa: PLC0415

    if isinstance(value, bytes):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value.decode("utf-8", "replace")
    if isinstance(value, msgspec.Struct):
        return {name: _decoded(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(k): _decoded(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return [_decoded(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    return value
