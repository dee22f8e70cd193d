"""Starting, asking, stopping, continuing, resetting: as scripts do it."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.e2e import orders
from tests.e2e.running import House, eventually
from tests.e2e.test_one_order import sellable
from tests.e2e.vendors import key_of


@pytest.fixture
def own() -> Iterator[House]:
    with House(STRATA_SWEEP_S="3") as made:
        yield made


class TestLife:
    def test_it_goes_on_where_it_was_and_reset_wipes_both(self, own: House) -> None:
        assert own.cli("info", "--json", check=False).returncode == 3
        own.start()
        info = own.info()
        assert info["schema"] == 1
        assert {c["name"] for c in info["clients"]} >= {"web-app", "mobile-app", "partner-app"}
        assert httpx.get(info["gateway"]["ready_url"]).status_code == 200
        shop = own.shopify()
        first = shop.place(orders.plain(sellable(own), 1))
        eventually(lambda: shop.order(first["id"])["erpNumber"])

        own.stop()
        assert own.cli("info", "--json", check=False).returncode == 3
        own.start()
        assert own.info()["clients"] == info["clients"], "credentials are stable"
        with own.api("web-app") as web:
            assert web.get(f"/web/v1/orders/{key_of(shop.shop, first)}").json()["status"] == "accepted"
        assert own.netsuite().order(key_of(shop.shop, first)) is not None

        own.stop()
        own.cli("reset")
        own.start()
        assert own.netsuite().order(key_of(shop.shop, first)) is None
        with own.api("web-app") as web:
            assert web.get(f"/web/v1/orders/{key_of(shop.shop, first)}").status_code == 404

    def test_once_set_up_it_is_ready_in_under_five_seconds(self, own: House) -> None:
        own.start()
        own.stop()
        assert own.start() < 10, "5 s are promised on an idle machine; twice that is allowed beside other tests"

    def test_secrets_lie_in_files_that_only_the_owner_reads(self, own: House) -> None:
        own.start()
        secrets = [c["client_secret"] for c in own.info()["clients"]]
        secrets.append(own.info()["sandbox"]["shopify"]["webhook_secret"])
        for path in own.data.rglob("*"):
            if path.is_file() and "postgres" not in path.parts and path.stat().st_size < 1_000_000:
                text = path.read_bytes()
                if any(s.encode() in text for s in secrets):
                    assert stat.S_IMODE(path.stat().st_mode) == 0o600, path

    def test_kill_9_leaves_the_sandbox_and_no_worker_and_the_next_start_adopts(self, own: House) -> None:
        own.start()
        assert own.process is not None
        sandbox = own.sandbox_pid()
        children = psutil.Process(own.process.pid).children(recursive=True)
        workers = [p for p in children if "postgres" not in p.name() and p.pid != sandbox]
        own.kill()
        deadline = time.monotonic() + 5
        while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in workers):
            assert time.monotonic() < deadline, "the worker outlived its parent"
            time.sleep(0.05)
        assert psutil.pid_exists(sandbox)
        own.start()
        assert own.sandbox_pid() == sandbox

    def test_when_postgresql_dies_it_is_started_again_and_orders_go_on(self, own: House) -> None:
        own.start()
        shop, variants = own.shopify(), sellable(own)
        first = shop.place(orders.plain(variants, 1))
        eventually(lambda: shop.order(first["id"])["erpNumber"])
        postmaster = int((own.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        psutil.Process(postmaster).kill()
        second = shop.place(orders.plain(variants, 2))
        eventually(lambda: shop.order(second["id"])["erpNumber"], within_s=60)
        assert len(own.netsuite().orders_by_key()) == 2

    def test_a_second_run_on_the_same_data_is_refused_in_plain_words(self, own: House) -> None:
        own.start()
        second = own.cli("run", "--port", str(own.port + 200), check=False)
        assert second.returncode == 1
        assert "Traceback" not in second.stdout + second.stderr
        assert "running" in (second.stdout + second.stderr).lower()

    def test_a_taken_port_is_refused_with_the_remedy(self, own: House) -> None:
        own.start()
        with House() as other:
            refused = other.cli("run", "--port", str(own.port), check=False)
        assert refused.returncode == 1
        assert "PORT=" in refused.stdout + refused.stderr

    def test_the_sandbox_part_is_printed_alone(self, own: House) -> None:
        own.start()
        alone = json.loads(own.cli("sandbox", "info", "--json").stdout)
        assert alone == own.info()["sandbox"]
