"""The roster is read, and what is wrong in it is named by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.review.roster import Roster, read_roster


def write(folder: Path, text: str) -> Path:
    path = folder / "reviewers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_people_are_read(tmp_path) -> None:
    text = "people:\n- {id: r1, account: Ann@x.org, name: Ann, skills: [senior]}\n"
    text += "- {id: r2, account: bob@x.org, active: false}\n"
    roster = read_roster(write(tmp_path, text))
    assert roster.people[0].skills == ("senior",)
    assert roster.active_accounts() == {"ann@x.org": "r1"}


def test_an_empty_list_is_an_empty_roster(tmp_path) -> None:
    assert read_roster(write(tmp_path, "people: []\n")).people == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("people:\n- {id: r1}\n", "line 2.*no account"),
        ("people:\n- {id: 7, account: a@x.org}\n", "line 2.*id: 7 is not a text"),
        (
            "people:\n- {id: r1, account: a@x.org}\n- {id: r1, account: b@x.org}\n",
            "line 3.*'r1' stands twice",
        ),
        ("people:\n- {id: r1, account: a@x.org}\n- {id: r2, account: A@x.org}\n", "line 3.*'a@x.org' stands"),
        ("people:\n- {id: r1, account: a@x.org, skill: [x]}\n", "line 2.*skill.*Did you mean skills"),
        ("people:\n- {id: r1, account: a@x.org, skills: senior}\n", "line 2.*no list of lanes"),
        ("people:\n- {id: r1, account: a@x.org, active: perhaps}\n", "line 2.*neither true nor false"),
        ("people:\n- r1\n", "line 2.*'r1' is not a map"),
        ("people: r1\n", "line 1.*no list"),
        ("people: []\npeople: []\n", "line 2"),
        ("persons: []\n", "line 1.*persons.*Known are: people"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, told: str, tmp_path) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_roster(write(tmp_path, text))


def test_the_trail_names_people_by_roster_id_or_by_an_id_that_only_the_key_can_check(tmp_path) -> None:
    roster = read_roster(write(tmp_path, "people:\n- {id: r1, account: Ann@x.org, name: Ann}\n"))
    assert roster.person_id(" R1 ", b"key") == roster.person_id("ann@X.org", b"key") == "r1"
    stranger = roster.person_id("bob", b"key")
    assert stranger == roster.person_id(" Bob", b"key") == Roster().person_id("BOB", b"key")
    assert stranger != roster.person_id("bob", b"another key")
    assert "bob" not in stranger.lower()
