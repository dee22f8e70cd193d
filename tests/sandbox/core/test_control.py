from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest


async def notes(client: httpx.AsyncClient) -> int:
    return (await client.get("/notes")).json()["notes"]


class TestWork:
    async def test_urls_in_answers_echo_the_caller(self, client):
        assert (await client.get("/notes")).json()["base"] == "http://echo.test:81"

    async def test_a_bug_in_a_vendor_is_its_internal_error_and_leaves_nothing_behind(self, client):
        answer = await client.post("/boom")
        assert (answer.status_code, answer.json()) == (500, {"error": "internal"})
        assert await notes(client) == 0

    async def test_work_goes_on_and_keeps_its_place_when_the_caller_has_gone(self, client, echo):
        await client.post("/_sandbox/limits", json={"latency_ms": 80, "concurrency": 1})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.post("/n"), 0.02)
        assert (await client.post("/n")).status_code == 429
        await asyncio.sleep(0.12)
        assert (await client.get("/_sandbox/state")).json()["types"] == {"note": 1}
        assert echo.left == echo.admitted == 1


class TestFaults:
    async def add(self, client, **fault):
        answer = await client.post("/_sandbox/faults", json=fault)
        assert answer.status_code == 201, answer.text
        return answer.json()["ids"][0]

    async def test_a_status_does_no_work_and_ends_after_its_times(self, client):
        await self.add(client, kind="status", status=503, times=2, match={"method": "POST"})
        assert [(await client.post("/n")).status_code for _ in range(3)] == [503, 503, 200]
        assert await notes(client) == 1

    async def test_time_out_before_does_nothing(self, client):
        await self.add(client, kind="timeout_before", hang_s=0.01, match={"operation": "note:POST"})
        with pytest.raises(ConnectionResetError):
            await client.post("/n")
        assert await notes(client) == 0

    async def test_time_out_after_has_committed(self, client):
        await self.add(client, kind="timeout_after", hang_s=0.01, match={"operation": "note:P*"})
        with pytest.raises(ConnectionResetError):
            await client.post("/n")
        assert await notes(client) == 1

    async def test_a_hang_holds_its_place_until_the_servers_own_limit(self, client):
        await client.post("/_sandbox/limits", json={"concurrency": 1, "request_timeout_s": 0.05})
        await self.add(client, kind="timeout_before", times=1)
        hanging = asyncio.create_task(client.post("/n"))
        await asyncio.sleep(0.02)
        assert (await client.post("/n")).status_code == 429
        with pytest.raises(ConnectionResetError):
            await hanging
        assert (await client.post("/n")).status_code == 200

    async def test_the_vendors_own_throttle_and_maintenance(self, client):
        await client.post(
            "/_sandbox/faults", json=[{"kind": "throttle", "times": 1}, {"kind": "maintenance", "times": 1}]
        )
        assert [(await client.get("/n")).status_code for _ in range(3)] == [429, 503, 200]
        assert (await client.get("/_sandbox/requests")).json()["summary"]["throttled"] == 1

    async def test_malformed_does_not_parse(self, client):
        await self.add(client, kind="malformed")
        answer = await client.get("/n")
        assert answer.status_code == 200
        with pytest.raises(ValueError, match="Unterminated"):
            answer.json()

    async def test_latency_comes_on_top_of_another_fault(self, client):
        await self.add(client, kind="latency", latency_ms=30)
        await self.add(client, kind="status", status=500)
        began = asyncio.get_running_loop().time()
        assert (await client.get("/n")).status_code == 500
        assert asyncio.get_running_loop().time() - began >= 0.03

    async def test_a_fault_for_a_while_ends_on_the_sandbox_clock(self, client):
        await self.add(client, kind="status", status=503, for_s=14_400)
        assert (await client.get("/n")).status_code == 503
        await client.post("/_sandbox/clock", json={"offset_s": 14_401})
        assert (await client.get("/n")).status_code == 200

    async def test_probability_is_drawn_from_the_faults_own_seed(self, client):
        await self.add(client, id="p", kind="status", probability=0.5, seed=7)
        first = [(await client.get("/n")).status_code for _ in range(20)]
        await self.add(client, id="p", kind="status", probability=0.5, seed=7)
        assert [(await client.get("/n")).status_code for _ in range(20)] == first
        assert set(first) == {200, 503}

    async def test_account_and_path_match_by_glob(self, client):
        await self.add(client, kind="status", match={"account": "eu-*", "path": "/n*"})
        assert (await client.get("/n", headers={"x-account": "eu-1"})).status_code == 503
        assert (await client.get("/n", headers={"x-account": "us-1"})).status_code == 200
        assert (await client.get("/m", headers={"x-account": "eu-1"})).status_code == 200

    async def test_list_and_remove(self, client):
        fault = await self.add(client, kind="status")
        await client.get("/n")
        assert [v["hits"] for v in (await client.get("/_sandbox/faults")).json()["faults"]] == [1]
        assert (await client.delete(f"/_sandbox/faults/{fault}")).status_code == 204
        assert (await client.delete(f"/_sandbox/faults/{fault}")).status_code == 404
        assert (await client.get("/n")).status_code == 200


class TestControlInput:
    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("faults", '{"kind":"nonsense"}', 422),
            ("faults", '{"kind":"status","probability":2}', 422),
            ("faults", '{"kind":"status","colour":1}', 422),
            ("faults", "{", 400),
            ("clock", '{"speed":0}', 422),
            ("limits", '{"latency_ms":-1}', 422),
            ("limits", '{"nope":1}', 422),
            ("seed", '{"nope":1}', 422),
            ("reset", "[]", 422),
            ("nowhere", "{}", 404),
        ],
    )
    async def test_wrong_input_is_a_problem(self, client, path, body, status):
        answer = await client.post(f"/_sandbox/{path}", content=body)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]

    async def test_a_wrong_method_names_the_right_ones(self, client):
        answer = await client.put("/_sandbox/clock")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, GET")


class TestClock:
    async def test_set_freeze_speed_and_back(self, client, echo):
        await client.post("/_sandbox/clock", json={"set": "2026-11-27T00:00:00Z", "freeze": True})
        assert echo.context.clock.now() == datetime(2026, 11, 27, tzinfo=UTC)
        assert echo.context.clock.real_seconds_until(echo.context.clock.now() + timedelta(seconds=1)) is None
        await client.post("/_sandbox/clock", json={"freeze": False, "speed": 1000})
        await asyncio.sleep(0.01)
        assert echo.context.clock.now() > datetime(2026, 11, 27, 0, 0, 5, tzinfo=UTC)
        view = (await client.post("/_sandbox/clock", json={"reset": True, "speed": 1})).json()
        assert abs((datetime.fromisoformat(view["now"]) - datetime.now(UTC)).total_seconds()) < 5


class TestStateAndRequests:
    async def test_state_filters_and_pages(self, client):
        for path in ("/a", "/b", "/a"):
            await client.post(path)
        view = (await client.get("/_sandbox/state/note", params={"by.name": "/a", "limit": 1, "offset": 1})).json()
        assert (view["total"], [item["id"] for item in view["items"]]) == (2, [3])
        assert (await client.get("/_sandbox/state/note", params={"id": "2"})).json()["items"][0]["by"] == {"name": "/b"}
        assert (await client.get("/_sandbox/state/note", params={"id": "9"})).status_code == 404

    async def test_reset_fills_the_company_again_or_not(self, client):
        await client.post("/n")
        assert (await client.post("/_sandbox/reset", json={"seed": 5})).json() == {"types": {"note": 1}}
        assert (await client.get("/_sandbox/state/note")).json()["items"] == [{"seed": 5}]
        assert (await client.post("/_sandbox/reset", json={"empty": True})).json() == {"types": {}}

    async def test_ids_go_on_after_a_reset_so_that_none_is_used_twice(self, client):
        for _ in range(3):
            await client.post("/n")
        used = {item["id"] for item in (await client.get("/_sandbox/state/note")).json()["items"] if "id" in item}
        await client.post("/_sandbox/reset", json={"empty": True})
        await client.post("/n")
        after = {item["id"] for item in (await client.get("/_sandbox/state/note")).json()["items"]}
        assert not after & used

    async def test_requests_are_logged_without_credentials(self, client):
        await client.post("/n", content=b"hello", headers={"authorization": "secret"})
        await client.get("/n")
        view = (await client.get("/_sandbox/requests", params={"operation": "note:POST"})).json()
        assert view["summary"]["by_operation"] == {"note:POST": 1, "note:GET": 1}
        assert [(e["request_body"], e["status"]) for e in view["items"]] == [("hello", 200)]
        assert "authorization" not in view["items"][0]["request_headers"]
        assert (await client.delete("/_sandbox/requests")).status_code == 204
        assert (await client.get("/_sandbox/requests")).json()["summary"]["total"] == 0

    async def test_concurrency_high_water_mark(self, client):
        await client.post("/_sandbox/limits", json={"latency_ms": 20})
        await asyncio.gather(*(client.get("/n") for _ in range(7)))
        assert (await client.get("/_sandbox/requests")).json()["summary"]["max_concurrency"] == 7
