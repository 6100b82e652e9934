"""hitl.yaml says what is masked, and a mistake in it is told with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.redaction.finding import NATIONAL_IDS, TYPES
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.settings import read_settings, task_of


def masking_of(folder: Path, review: str) -> Masking:
    (folder / "hitl.yaml").write_text(
        "project: p\ntask: {kind: text, inputs: x}\nmodel: {name: m, base: b.csv}\n" + review
    )
    return task_of(read_settings(folder), ["x", "note", "label"], ["yes", "no"]).masking


@pytest.mark.parametrize(
    ("review", "types"),
    [
        ("", set(TYPES)),
        ("review: {mask: all}", set(TYPES)),
        ("review: {mask: none}", set()),
        ("review: {mask: card}", {"card"}),
        ("review: {mask: [card, national-id]}", {"card", *NATIONAL_IDS}),
    ],
)
def test_the_types_are_those_named_and_all_where_none_are(
    tmp_path: Path, review: str, types: set[str]
) -> None:
    masking = masking_of(tmp_path, review)
    assert masking.types == types
    assert masking.text("card 4111111111111111") == (
        "card [card]" if "card" in types else "card 4111111111111111"
    )


def test_a_type_that_is_misspelt_is_told_with_the_one_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'email' is not known here\. Did you mean e-mail") as told:
        masking_of(tmp_path, "review: {mask: [card, email]}")
    assert "line 4" in told.value.fact


def test_all_and_none_stand_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="none stands alone"):
        masking_of(tmp_path, "review: {mask: [card, none]}")


def test_a_column_left_unmasked_must_be_there(tmp_path: Path) -> None:
    assert masking_of(tmp_path, "review: {mask_except: note}").except_columns == {"note"}
    with pytest.raises(InputError, match="no column nte"):
        masking_of(tmp_path, "review: {mask_except: [nte]}")
