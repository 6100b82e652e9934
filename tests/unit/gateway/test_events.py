"""Server-sent events: heard at once, ended in time, freed when nobody listens, never too many."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager

import pytest

from hitl_mlops.errors import BusyError, ServiceDownError
from hitl_mlops.gateway.app import build_app
from hitl_mlops.gateway.events import Lookout
from hitl_mlops.recourse.standing import standing
from tests.builders import a_decision
from tests.gateway_room import cases, serving
from tests.unit.gateway.test_app import problem, results
from tests.unit.gateway.test_recourse import POLICY, WORD


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("events") / "project", policy=POLICY) as application:
        yield application


def heard(text):
    """The events of a stream: id and what they tell."""
    blocks = [dict(line.split(": ", 1) for line in one.splitlines()) for one in text.split("\n\n") if one]
    return [(one["id"], json.loads(one["data"])) for one in blocks if one.get("event") == "decision"]


def listen(app, decision_id, **headers):
    return app.http.get(f"/v1/decisions/{decision_id}/events", headers=app.headers | headers)


def test_an_application_hears_that_people_have_it_and_then_their_word(app):
    [told] = results(app.post(cases(0, 1, branch="south")))
    threading.Timer(0.6, app.answer, ["no"]).start()
    reply = listen(app, told["decision_id"])
    (_, first), (last, second) = heard(reply.text)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert first == told
    assert (second["state"], second["act"], second["label"]) == ("resolved", True, "no")

    assert heard(listen(app, told["decision_id"]).text) == [(last, second)]
    assert listen(app, told["decision_id"], **{"Last-Event-ID": last}).status_code == 204
    assert heard(listen(app, told["decision_id"], **{"Last-Event-ID": "e_nothing"}).text) == [(last, second)]


def test_whoever_runs_a_decision_hears_that_it_is_halted(app):
    [told] = results(app.post(cases(10, 1, branch="west")))
    threading.Timer(0.6, app.say, [told["decision_id"], "halt"], WORD).start()
    [*_, (_, last)] = heard(listen(app, told["decision_id"]).text)
    assert (last["state"], last["act"]) == ("halted", False)


def test_whoever_asks_for_a_reversed_decision_hears_it_and_the_stream_ends(app):
    [told] = results(app.post(cases(20, 1)))
    app.say(told["decision_id"], "reverse", **WORD)
    [(_, only)] = heard(listen(app, told["decision_id"]).text)
    assert only["state"] == "reversed"


def test_who_may_not_or_asks_for_nothing_is_a_problem(app):
    problem(listen(app, "d_nothing"), 404)
    problem(app.http.get("/v1/decisions/d_nothing/events"), 401)


@asynccontextmanager
async def listening(service, app, decision_id):
    """A stream without an end: its first lines were sent; leaving disconnects."""
    gone, begun = asyncio.Event(), asyncio.Event()
    sent = []

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        begun.set()

    headers = [(name.lower().encode(), value.encode()) for name, value in app.headers.items()]
    path = f"/v1/decisions/{decision_id}/events"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
    }
    task = asyncio.create_task(service(scope, receive, send))
    await asyncio.wait_for(begun.wait(), 20)
    yield sent
    gone.set()
    await asyncio.wait_for(task, 20)


def test_too_many_streams_are_refused_and_whoever_leaves_makes_room(app):
    [told] = results(app.post(cases(30, 1, branch="south")))
    service = build_app(app.project)
    lookout = next(one for one in _cells(service) if isinstance(one, Lookout))
    lookout._most = 2

    async def story():
        name = told["decision_id"]
        async with listening(service, app, name) as first:
            async with listening(service, app, name), listening(service, app, name) as third:
                assert (first[0]["status"], third[0]["status"]) == (200, 503)
                assert lookout.streams == 2
            async with listening(service, app, name) as fourth:
                assert fourth[0]["status"] == 200
        assert lookout.streams == 0

    asyncio.run(story())


def test_streams_end_when_the_service_does(app):
    [told] = results(app.post(cases(40, 1, branch="south")))
    service = build_app(app.project)
    lookout = next(one for one in _cells(service) if isinstance(one, Lookout))

    async def story():
        async with listening(service, app, told["decision_id"]) as sent:
            lookout.ending = True
            for _ in range(100):
                await asyncio.sleep(0.05)
                if sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}:
                    return
            pytest.fail("the stream goes on")

    asyncio.run(story())


def _cells(service):
    """What the paths of the service close over."""
    for route in service.routes:
        for cell in getattr(route.endpoint, "__closure__", None) or ():
            yield cell.cell_contents


def test_all_who_listen_are_looked_for_together():
    looks = []

    def standings(some):
        looks.append([one.decision_id for one in some])
        return {one.decision_id: standing(one, None, None) for one in some}

    async def story():
        lookout = Lookout(standings, every_s=0.05)
        some = [a_decision(decision_id=f"d_{number % 3}") for number in range(50)]
        await asyncio.gather(*map(lookout.look, some))

    asyncio.run(story())
    assert looks == [["d_0", "d_1", "d_2"]]


def test_a_look_that_fails_is_told_to_all_and_the_next_one_succeeds():
    down = [True]

    def standings(some):
        if down.pop() if down else False:
            raise ServiceDownError("The database does not answer.")
        return {one.decision_id: standing(one, None, None) for one in some}

    async def story():
        lookout = Lookout(standings, every_s=0.01)
        both = [lookout.look(a_decision()) for _ in range(2)]
        failed = await asyncio.gather(*both, return_exceptions=True)
        assert [type(one) for one in failed] == [ServiceDownError, ServiceDownError]
        assert not (await lookout.look(a_decision())).act

    asyncio.run(story())


def test_places_are_counted():
    lookout = Lookout(lambda _: {}, most=1)
    lookout.take()
    with pytest.raises(BusyError, match="1 streams"):
        lookout.take()
    lookout.free()
    lookout.take()
