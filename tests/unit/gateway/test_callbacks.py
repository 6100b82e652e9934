"""An application is called when people have decided: by the service, or by the command line."""

from __future__ import annotations

import json
import time

import pytest

from hitl_mlops.cli.main import run
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.gateway.wire_recourse import Changed
from hitl_mlops.settings import read_settings
from tests.gateway_room import cases, serving
from tests.unit.callbacks.test_courier import receiver
from tests.unit.gateway.test_app import problem, results
from tests.unit.gateway.test_recourse import POLICY, WORD


@pytest.fixture(scope="module")
def shop():
    with receiver(200) as (url, got):
        yield url, got


@pytest.fixture(scope="module")
def app(tmp_path_factory, shop):
    settings = {"policy:": f"serve: {{callbacks: [{shop[0]}/hitl]}}\npolicy:"}
    folder = tmp_path_factory.mktemp("callbacks") / "project"
    with serving(folder, policy=POLICY, settings=settings) as application:
        yield application


def told_of(shop, decision_id, count):
    """What the shop was told of the decision, once it was told so often."""
    for _ in range(200):
        bodies = [
            json.loads(body)["data"] for _, _, body in list(shop[1]) if Changed.model_validate_json(body)
        ]
        found = [one for one in bodies if one["decision_id"] == decision_id]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    return pytest.fail(f"told {len(found)} times")


def test_the_shop_is_called_when_people_have_decided_and_when_it_is_halted(app, shop):
    [told] = results(app.post(cases(0, 1, branch="south")))
    url = shop[0] + "/hitl/south"
    first = app.say(told["decision_id"], "callback", url=url)
    assert first.status_code == 200
    assert app.say(told["decision_id"], "callback", url=url).json() == first.json()
    app.answer("no")
    [one] = told_of(shop, told["decision_id"], 1)
    assert (one["state"], one["act"], one["label"], one["case_id"]) == ("resolved", True, "no", "c0")

    [runs] = results(app.post(cases(1, 1, branch="west")))
    assert runs["act"]
    app.say(runs["decision_id"], "callback", url=shop[0] + "/hitl/west")
    app.say(runs["decision_id"], "halt", **WORD)
    [two] = told_of(shop, runs["decision_id"], 1)
    assert (two["state"], two["act"], two["label"]) == ("halted", False, None)


def test_whoever_registers_late_is_told_at_once(app, shop):
    [told] = results(app.post(cases(10, 1)))
    app.say(told["decision_id"], "reverse", **WORD)
    app.say(told["decision_id"], "callback", url=shop[0] + "/hitl")
    [one] = told_of(shop, told["decision_id"], 1)
    assert one["state"] == "reversed"


def test_addresses_that_hitl_yaml_does_not_allow_are_refused(app, shop):
    [told] = results(app.post(cases(20, 1)))
    for url in (shop[0] + "/other", "http://169.254.169.254/hitl", "https://evil.test/hitl"):
        assert "hitl.yaml" in problem(app.say(told["decision_id"], "callback", url=url), 409)["remedy"]
    for url in ("", "file:///etc/passwd", shop[0] + "/hitl/../x", "x" * 501):
        problem(app.say(told["decision_id"], "callback", url=url), 422)
    problem(app.say("d_nothing", "callback", url=shop[0] + "/hitl"), 404)
    problem(app.http.post(f"/v1/decisions/{told['decision_id']}/callback", json={}), 401)
    assert app.project.parts.callbacks.callbacks_of(told["decision_id"]) == []


def test_one_decision_has_so_many_callbacks_and_no_more(app, shop):
    [told] = results(app.post(cases(30, 1)))
    for number in range(10):
        assert app.say(told["decision_id"], "callback", url=f"{shop[0]}/hitl/{number}").status_code == 200
    problem(app.say(told["decision_id"], "callback", url=f"{shop[0]}/hitl/more"), 409)
    assert len(app.project.parts.callbacks.callbacks_of(told["decision_id"])) == 10


def test_the_command_line_shows_what_was_delivered(app, shop, capsys):
    test_whoever_registers_late_is_told_at_once(app, shop)
    folder = str(app.project.settings.folder)

    def said(*words, code=0):
        assert run(["callback", *words, "-p", folder, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    for _ in range(100):
        found = said("list", "--state", "delivered")
        if found["deliveries"]:
            break
        time.sleep(0.05)
    name = found["deliveries"][0]["delivery_id"]
    assert found["counts"]["delivered"] == len(found["deliveries"])
    assert said("retry", name)["state"] == "delivered"
    assert said("deliver") == {"delivered": 0, "deliveries": []}
    assert said("secret", "app")["secret"].startswith("whsec_")
    assert "failed" in said("list", "--state", "lost", code=2)["remedy"]
    assert "msg_nothing" in said("retry", "msg_nothing", code=2)["fact"]


@pytest.mark.parametrize("written", ["shop.example", "https://shop.example/../x", "ftp://shop.example"])
def test_a_prefix_that_is_none_is_told_with_its_line(app, written):
    file = app.project.settings.folder / "hitl.yaml"
    lines = file.read_text().splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith("serve:"))
    other = file.with_name("other.yaml")
    lines[place] = f"serve: {{callbacks: [{written}]}}"
    other.write_text("\n".join(lines))
    with pytest.raises(ConfigurationError, match=f"line {place + 1}, serve.callbacks: '.*is no address"):
        read_settings(other)
