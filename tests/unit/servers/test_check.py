from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.servers.check import check_all, check_clock


def checks(folder, database=lambda: None):
    return {one.name: one for one in check_all(folder, database=database, now=datetime.now(UTC))}


def test_a_new_project_lacks_only_its_servers(tmp_path):
    found = checks(tmp_path)
    missing = {f"{name} server" for name in ("label-studio", "mlflow", "prefect")}
    assert {name for name, one in found.items() if not one.is_ok} == missing
    assert found["mlflow server"].remedy == "hitl up"
    assert found["scikit-learn"].found.startswith("1.")


def test_a_failed_check_says_what_to_do_and_the_others_go_on(tmp_path):
    def database():
        raise ServiceDownError("The database does not answer.", remedy="Start it.")

    found = checks(tmp_path, database)
    assert (found["database"].found, found["database"].remedy) == (
        "The database does not answer.",
        "Start it.",
    )
    assert all(one.is_ok or one.remedy for one in found.values())
    assert found["python"].is_ok


def test_a_damaged_state_file_fails_the_check_of_the_servers_only(tmp_path):
    (tmp_path / ".hitl").mkdir()
    (tmp_path / ".hitl" / "servers.json").write_text("{")
    assert {name for name, one in checks(tmp_path).items() if not one.is_ok} == {"servers"}


def test_a_clock_behind_what_was_written_is_found(tmp_path):
    (tmp_path / "hitl.db").touch()
    now = datetime.now(UTC)
    assert check_clock(tmp_path, now=now).is_ok
    assert not check_clock(tmp_path, now=now - timedelta(hours=1)).is_ok
