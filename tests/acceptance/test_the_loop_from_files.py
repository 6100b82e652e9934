"""The whole loop at the shell, from a file of labelled cases to a judged and rolled-out challenger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.loop_room import Loop, Team, begin, shared_data, team
from tests.servers import LabelStudio, Mlflow

pytestmark = [pytest.mark.data, pytest.mark.real, pytest.mark.slow]
TEN = (
    *("card_arrival", "card_linking", "exchange_rate", "card_payment_wrong_exchange_rate", "age_limit"),
    *("pending_top_up", "top_up_failed", "cancel_transfer", "declined_transfer", "change_pin"),
)
"""Classes of banking77, some of them easily taken for each other."""
ENDED = {"promoted", "rolled_back", "held", "aborted"}


def test_text_of_banking77_goes_through_the_loop(
    tmp_path: Path, label_studio: LabelStudio, mlflow_server: Mlflow
) -> None:
    rows = pd.read_csv(shared_data("banking77/train.csv"))
    rows = rows[rows["category"].isin(TEN)]
    place = rows.groupby("category").cumcount()
    known = rows[place < 12]
    new = rows[(place >= 12) & (place < 28)].sample(frac=1.0, random_state=1)
    loop = begin(
        tmp_path,
        known,
        *("--kind", "text"),
        *("--label", "category"),
        name="banking",
        desk=label_studio,
        mlflow=mlflow_server.url,
    )
    loop.apart = False
    with team(label_studio, "ann", "bob", "cid") as people:
        _loop(loop, people, new.drop(columns="category"), new["category"].tolist(), TEN)


def test_a_drifting_table_of_weather_goes_through_the_loop_on_postgresql(
    tmp_path: Path, label_studio: LabelStudio, mlflow_server: Mlflow, postgres_url: str
) -> None:
    rows = pd.read_csv(shared_data("weather/weather.csv"))
    known, new = rows.iloc[:200], rows.iloc[4000:4360]
    loop = begin(
        tmp_path,
        known,
        *("--kind", "table"),
        name="weather",
        desk=label_studio,
        mlflow=mlflow_server.url,
        database=postgres_url,
    )
    with team(label_studio, "dan", "eve", "fay") as people:
        _loop(loop, people, new.drop(columns="target"), new["target"].tolist(), ("0", "1"))


def _loop(loop: Loop, people: Team, new: pd.DataFrame, truth: list[Any], classes: tuple[str, ...]) -> None:
    first, later = new.iloc[: len(new) * 2 // 3], new.iloc[len(new) * 2 // 3 :]
    champion = loop.hitl("train")
    assert champion["aliases"] == ["champion"]
    asked = _decide(loop, first, truth[: len(first)])
    assert loop.hitl("review", "push")["pushed"] == asked > 0
    assert people.answer(loop, classes=classes) == asked
    collected = loop.hitl("collect")
    assert (collected["new"], len(collected["resolved"]), collected["quarantined"]) == (asked, asked, [])
    assert loop.apart or loop.hitl("collect")["new"] == 0
    version = loop.hitl("dataset", "build")
    assert version["number"] == 2
    assert len(loop.hitl("dataset", "diff", "1", "2")["added"]) == asked
    assert loop.apart or loop.hitl("dataset", "build")["digest"] == version["digest"]
    challenger = loop.hitl("train")
    assert challenger["aliases"] == ["challenger"]
    _judge_and_roll_out(loop, str(challenger["version"]))
    _shadow(loop, people, later, truth[len(first) :], classes)
    assert loop.hitl("audit", "verify")["trail"]["problems"] == []
    road = loop.hitl("audit", "trace", str(challenger["version"]))
    assert "resolution" in str(road)


def _decide(loop: Loop, cases: pd.DataFrame, truth: list[Any]) -> int:
    """All are decided, once; how many questions that makes."""
    file = loop.folder / "new.csv"
    cases.to_csv(file, index=False)
    decided = loop.hitl("decide", file)
    assert (len(decided["decisions"]), decided["known"], decided["refused"]) == (len(cases), 0, [])
    loop.remember(decided, truth)
    if not loop.apart:
        again = loop.hitl("decide", file)
        assert (again["known"], again["tickets"]) == (len(cases), 0)
    return int(decided["tickets"])


def _judge_and_roll_out(loop: Loop, version: str) -> None:
    """Only what passed its gates and is approved starts; otherwise the refusal says how to go on."""
    said = loop.say("gate")
    report = said.value
    assert said.code == (0 if report["verdict"] == "pass" else 1), said.err
    assert all(one["reason"] for one in report["results"])
    refused = loop.hitl("rollout", "start", version, code=1)
    assert refused["remedy"]
    if report["verdict"] == "pass":
        approval = loop.hitl("approve", version, "--reason", "better on what people overruled", "--by", "Ann")
        assert "ann" not in approval["approver"].lower(), "the trail holds an id, MLflow the name"
        started = loop.hitl("rollout", "start", version)
        assert (started["forced"], started["stage"]) == (False, "shadow")
    else:
        assert loop.hitl("approve", version, "--reason", "I like it", code=1)["error"] == "RefusedError"
        started = loop.hitl("rollout", "start", version, "--force", "to see it at work")
        assert (started["forced"], started["stage"]) == (True, "canary")


def _shadow(
    loop: Loop, people: Team, cases: pd.DataFrame, truth: list[Any], classes: tuple[str, ...]
) -> None:
    """Both models see every case; where they differ people are asked, and the look says what it saw."""
    _decide(loop, cases, truth)
    loop.hitl("review", "push")
    people.answer(loop, classes=classes)
    loop.hitl("collect")
    look = loop.hitl("rollout", "step")
    assert look["evidence"]["cases"] == len(cases)
    assert look["step"]["reason"]
    status = loop.hitl("rollout", "status")
    stage = status["rollout"]["stage"]
    assert stage == look["step"]["after"]["stage"]
    if stage not in ENDED:
        ended = loop.hitl("rollout", "abort", "--reason", "the test is over")
        assert ended["stage"] not in {"shadow", "canary"}
