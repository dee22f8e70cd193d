"""What leaves the house over OTLP: traces and counters, from one endpoint setting."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.compose.collector import Collector

PROGRAM = """
from opentelemetry import metrics
counter = metrics.get_meter("made before the export is set up").create_counter("strata.webhook.deliveries")
from strata import telemetry
from strata.settings import Settings
telemetry.setup(Settings(otlp_endpoint={endpoint!r}), "system-shopify")
counter.add(1, {{"outcome": "accepted"}})
counter.add(2, {{"outcome": "refused"}})
with telemetry.span("work"):
    pass
telemetry.shutdown()
"""


def run(endpoint: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(endpoint=endpoint)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("slash", ["", "/"])
def test_spans_and_counters_reach_the_collector_at_the_latest_when_the_process_ends(slash: str) -> None:
    with Collector() as collector:
        done = run(f"http://{collector.address}{slash}")
    assert done.returncode == 0, done.stderr
    assert list(collector.services_of.values()) == [{"system-shopify"}]
    assert collector.counters["system-shopify", "strata.webhook.deliveries"] == 3


def test_a_collector_that_is_gone_holds_up_nothing_for_long() -> None:
    began = time.monotonic()
    done = run("http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 20
