"""The roster is read, and what is wrong in it is named by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.review.roster import AT_MOST, Person, Roster, Tier, read_roster


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
        ("people:\n- {id: r1, account: a@x.org, skills: senior}\n", "line 2.*no list of skills"),
        ("people:\n- {id: r1, account: a@x.org, tier: 5}\n", "line 2.*no tier 5.*1 to 4"),
        ("people:\n- {id: r1, account: a@x.org, tier: boss}\n", "line 2.*boss"),
        ("people:\n- {id: r1, account: a@x.org, languages: de}\n", "line 2.*no list"),
        ("people:\n- {id: r1, account: a@x.org, at_most: 0}\n", "line 2.*at_most"),
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


def test_tier_languages_and_the_limit_are_read(tmp_path) -> None:
    text = "people:\n- {id: r1, account: a@x.org, tier: supervisor, languages: [DE, en], at_most: 3}\n"
    text += "- {id: r2, account: b@x.org, tier: 2}\n- {id: r3, account: c@x.org}\n"
    first, second, third = read_roster(write(tmp_path, text)).people
    assert (first.tier, first.languages, first.at_most) == (Tier.SUPERVISOR, ("de", "en"), 3)
    assert (second.tier, third.tier, third.languages, third.at_most) == (2, 1, (), AT_MOST)


def test_a_skill_is_had_by_list_or_by_standing_as_high(tmp_path) -> None:
    level1 = Person("r1", "a@x.org")
    senior = Person("r2", "b@x.org", skills=("senior", "cards"))
    supervisor = Person("r3", "c@x.org", tier=Tier.SUPERVISOR)
    asleep = Person("r4", "d@x.org", tier=Tier.GOVERNANCE, active=False)
    roster = Roster((level1, senior, supervisor, asleep))

    def able(skill: str | None) -> list[str]:
        return [one.person_id for one in roster.able(skill)]

    assert able(None) == ["r1", "r2", "r3"]
    assert able("senior") == able("specialist") == ["r2", "r3"]
    assert able("cards") == ["r2"]
    assert able("supervisor") == ["r3"]
    assert able("governance") == []


def test_a_person_without_languages_reads_each() -> None:
    german = Person("r1", "a@x.org", languages=("de",))
    assert [german.reads(one) for one in ("DE", "en", "", None)] == [True, False, True, True]
    assert Person("r2", "b@x.org").reads("fr")
