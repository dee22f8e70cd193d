"""The scaled-out form: the same code, a process for each service, told where the others are by STRATA_SERVICE_URLS."""

from __future__ import annotations

import asyncio
import signal

import click


@click.command()
@click.argument("service")
@click.option("--host", default=None, help="Address to bind to. Default: STRATA_HOST or 127.0.0.1.")
@click.option("--port", type=int, default=None, help="Port. Default: STRATA_PORT or 8080.")
def serve(service: str, host: str | None, port: int | None) -> None:
    """Run one SERVICE: `gateway`, or e.g. `system-shopify`, `process-orders`, `experience-web`.

    Settings come from STRATA_... variables; STRATA_DATABASE_URL is needed, STRATA_SECRET_KEY is shared by all services.
    """
    import uvloop  # noqa: PLC0415

    from strata import settings as configuration  # noqa: PLC0415
    from strata.launch.serve import serve as run  # noqa: PLC0415

    settings = configuration.load(host=host, port=port, service_name=service)
    _need_database(settings.database_url)
    uvloop.run(run(service, settings))


@click.command()
@click.option("--name", default="worker", show_default=True, help="Name in traces and logs.")
def worker(name: str) -> None:
    """Run one process worker. Any number may run on one database; each may die at any time."""
    import uvloop  # noqa: PLC0415

    from strata import settings as configuration  # noqa: PLC0415
    from strata.launch.work import work  # noqa: PLC0415

    settings = configuration.load(service_name=name)
    _need_database(settings.database_url)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await work(settings, stop, ready=lambda: click.echo("worker ready"))

    uvloop.run(run())


@click.command()
def migrate() -> None:
    """Bring the tables of the database (STRATA_DATABASE_URL) up to date. Safe beside running services."""
    import uvloop  # noqa: PLC0415

    from strata import settings as configuration  # noqa: PLC0415

    settings = configuration.load()
    _need_database(settings.database_url)

    async def run() -> None:
        from strata.launch.migrate import migrate_all  # noqa: PLC0415

        for part in await migrate_all(settings):
            click.echo(f"up to date: {part}")

    uvloop.run(run())


def _need_database(url: str) -> None:
    if not url:
        raise click.UsageError("Set STRATA_DATABASE_URL: a service of the scaled-out form has no embedded database.")
