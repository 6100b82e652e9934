"""`hitl init`, `up`, `down`, `doctor` on a project whose servers do not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hitl_mlops.cli.main import run


def test_init_tells_what_it_took_and_why_and_what_to_type_next(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--data", str(data), str(tmp_path / "my loans")]) == 0
    shown = capsys.readouterr().out
    assert "case_id" in shown
    assert "every row has a value of its own" in shown
    assert "2 classes: " in shown
    commands = [line for line in shown.splitlines() if line.startswith("→ ")]
    assert commands[0] == f"→ cd '{tmp_path}/my loans'"
    assert commands[1:] == ["→ hitl up", "→ hitl train", "→ hitl decide NEW_CASES.csv"]


def test_init_answers_with_the_whole_proposal_as_json(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--data", str(data), "--kind", "table", "--name", "loans", str(tmp_path / "p"), "--json"]
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["project"] == "loans"
    assert {column["name"]: column["role"] for column in told["proposal"]["columns"]} == {
        "case_id": "id",
        "x": "input",
        "label": "label",
    }


def test_init_does_not_write_over_a_project(project: Path, data: Path) -> None:
    assert run(["init", "--data", str(data), str(project)]) == 1
    assert run(["init", "--data", str(data), str(project), "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["--label", "nothing"], "no column 'nothing'"),
        (["--kind", "sound"], "no kind 'sound'"),
        (["--id", "x"], "repeat"),
    ],
)
def test_init_refuses_what_cannot_be_with_code_2(
    tmp_path: Path, data: Path, words: list[str], fact: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--data", str(data), *words, str(tmp_path / "p")]) == 2
    assert fact in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_init_without_data_writes_the_skeleton(
    tmp_path: Path, in_folder: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    in_folder(tmp_path / "here")
    assert run(["init", "--kind", "text"]) == 0
    assert "→ cd" not in capsys.readouterr().out
    assert "kind: text" in Path("hitl.yaml").read_text()


def test_doctor_says_that_only_servers_are_missing_with_code_3(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--project", str(project), "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    down = [check["name"] for check in told["checks"] if not check["is_ok"]]
    assert set(down) == {f"{name} server" for name in ("prefect", "mlflow", "label-studio", "worker")}
    assert not told["is_ok"]


def test_doctor_says_what_must_be_changed_with_code_2(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "policy.yaml").write_text("version: 1\n")
    assert run(["doctor", "-p", str(project)]) == 2
    shown = capsys.readouterr().out
    assert "policy.yaml: → Add `routes:`" in shown


@pytest.mark.parametrize(
    ("people", "told"),
    [
        (None, "nobody is named: approvals are claimed"),
        ("release-managers: [ann, ben]\npipeline: [pipeline]\n", "ann, ben; log-ins in "),
        ("trainers: [tess]\npipeline: [pipeline]\n", "nobody, so that nothing is approved; log-ins in "),
    ],
)
def test_doctor_says_who_approves_and_where_the_log_ins_are(
    project: Path, capsys: pytest.CaptureFixture[str], people: str | None, told: str
) -> None:
    if people is not None:
        (project / "mlflow-people.yaml").write_text(people)
    run(["doctor", "-p", str(project), "--json"])
    checks = {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["release managers"]["is_ok"]
    assert checks["release managers"]["found"].startswith(told)


def test_doctor_works_where_there_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "-p", str(tmp_path)]) == 2
    assert "hitl init" in capsys.readouterr().out


def test_doctor_asks_a_server_of_the_users_own_and_not_ours(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yours = "services:\n  mlflow: {uri: 'http://127.0.0.1:9'}\n  prefect: {api: 'http://127.0.0.1:9/api'}\n"
    with (project / "hitl.yaml").open("a") as file:
        file.write(yours)
    assert run(["doctor", "-p", str(project), "--json"]) == 3
    checks = json.loads(capsys.readouterr().out)["checks"]
    found = [check["found"] for check in checks if check["name"] == "mlflow server"]
    assert len(found) == 1
    assert "does not answer" in found[0]
    assert run(["up", "-p", str(project), "--only", "mlflow"]) == 2
    assert "is yours" in capsys.readouterr().err


def test_up_refuses_a_server_that_there_is_not(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["up", "-p", str(project), "--only", "kafka"]) == 2
    assert "Choose from" in capsys.readouterr().err


def test_down_with_nothing_running_is_no_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down", "-p", str(project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ended": []}
