"""What is proposed for tables that users bring."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from hitl_mlops.decisions.table_file import read_table
from hitl_mlops.decisions.task import InputKind
from hitl_mlops.errors import InputError
from hitl_mlops.new_project.proposal import Proposal, Role, Wishes
from hitl_mlops.new_project.propose import propose

DATA = Path(os.environ.get("HITL_TEST_DATA", "../shared/data"))


def told(proposal: Proposal, word: str) -> bool:
    return any(word in warning for warning in proposal.warnings)


def test_every_column_of_a_mixed_table_gets_the_role_a_person_would_give_it(loans: pd.DataFrame) -> None:
    proposal = propose(loans)
    roles = {column.name: column.role for column in proposal.columns}
    assert roles == {
        "loan_id": Role.ID,
        "customer_id": Role.SUBJECT,
        "opened_at": Role.TIME,
        "email": Role.LEFT_OUT,
        "amount": Role.INPUT,
        "age": Role.INPUT,
        "purpose": Role.INPUT,
        "remark": Role.INPUT,
        "country": Role.LEFT_OUT,
        "recovered": Role.LEFT_OUT,
        "defaulted": Role.LABEL,
    }
    assert proposal.kind is InputKind.TABLE


def test_every_column_has_one_sentence_why(loans: pd.DataFrame) -> None:
    for column in propose(loans).columns:
        assert column.why.endswith(".")
        assert "\n" not in column.why


def test_leak_constant_personal_and_protected_columns_are_warned_of(loans: pd.DataFrame) -> None:
    proposal = propose(loans)
    assert told(proposal, "recovered gives the label away")
    assert told(proposal, "country is always 'DE'")
    assert told(proposal, "email sounds personal")
    assert told(proposal, "age may be a protected group")
    assert not told(proposal, "amount")


def test_a_column_of_sentences_beside_a_label_is_a_text_project(messages: pd.DataFrame) -> None:
    proposal = propose(messages)
    assert (proposal.kind, proposal.names(Role.INPUT)) == (InputKind.TEXT, ("text",))
    assert dict(proposal.classes) == {"card": 60, "fee": 60}
    assert proposal.warnings == ()


def test_what_stands_beside_a_text_is_shown_and_personal_things_are_not(messages: pd.DataFrame) -> None:
    messages["channel"] = ["mail", "app", "phone"] * 40
    messages["customer_name"] = ["Ann", "Bob", "Cleo", "Dan"] * 30
    proposal = propose(messages)
    assert proposal.names(Role.SHOWN) == ("channel",)
    assert proposal.names(Role.LEFT_OUT) == ("customer_name",)


def test_pixel_columns_are_a_picture_named_by_one_pattern() -> None:
    proposal = propose(load_digits(as_frame=True).frame)
    assert (proposal.kind, proposal.names(Role.INPUT)) == (InputKind.IMAGE, ("pixel_*",))
    assert len(proposal.classes) == 10


def test_pixels_that_no_pattern_names_in_their_order_are_listed_row_by_row() -> None:
    columns = {f"px{place}": [0.0, 1.0] * 20 for place in reversed(range(16))}
    proposal = propose(pd.DataFrame({**columns, "label": ["a", "b"] * 20}))
    assert proposal.names(Role.INPUT) == tuple(f"px{place}" for place in range(16))


def test_a_column_of_picture_files_is_an_image_and_tells_that_no_ready_recipe_reads_it() -> None:
    table = pd.DataFrame({"file": [f"a/{place}.png" for place in range(40)], "label": ["x", "y"] * 20})
    proposal = propose(table)
    assert (proposal.kind, proposal.names(Role.INPUT)) == (InputKind.IMAGE, ("file",))
    assert told(proposal, "model.recipe")


@pytest.mark.parametrize(
    ("wishes", "role", "name"),
    [
        (Wishes(label="purpose"), Role.LABEL, "purpose"),
        (Wishes(subject="purpose"), Role.SUBJECT, "purpose"),
        (Wishes(id="email"), Role.ID, "email"),
        (Wishes(time="amount"), Role.TIME, "amount"),
        (Wishes(text="remark"), Role.INPUT, "remark"),
    ],
)
def test_the_users_word_goes_before_anything_found(
    loans: pd.DataFrame, wishes: Wishes, role: Role, name: str
) -> None:
    assert propose(loans, wishes).names(role) == (name,)


def test_the_users_kind_goes_before_the_kind_found(messages: pd.DataFrame, loans: pd.DataFrame) -> None:
    assert propose(messages, Wishes(kind=InputKind.TABLE)).kind is InputKind.TABLE
    assert propose(loans, Wishes(kind=InputKind.TEXT)).names(Role.INPUT) == ("remark",)
    with pytest.raises(InputError, match="No picture"):
        propose(loans, Wishes(kind=InputKind.IMAGE))


def test_without_a_name_that_tells_the_last_column_is_the_label_and_that_is_told() -> None:
    table = pd.DataFrame({"a": np.arange(60) * 1.5, "b": np.arange(60) % 7, "grade": ["good", "bad"] * 30})
    proposal = propose(table)
    assert proposal.name(Role.LABEL) == "grade"
    assert told(proposal, "only because it stands last")


def test_data_without_a_label_are_refused_with_the_option_that_names_it() -> None:
    table = pd.DataFrame({"grade": ["good", "bad"] * 30, "amount": np.arange(60) * 1.5})
    with pytest.raises(InputError) as refused:
        propose(table)
    assert "--label COLUMN (perhaps grade)" in refused.value.remedy


def test_two_columns_that_could_be_the_label_are_told(loans: pd.DataFrame) -> None:
    loans["loan_status"] = ["open", "closed", "open"] * 100
    proposal = propose(loans)
    assert told(proposal, "could be the label too")


@pytest.mark.parametrize(
    ("cells", "fact"),
    [
        (np.linspace(0.1, 9.7, 60), "values in 60 rows"),
        (["same"] * 60, "only the class 'same'"),
        ([None] * 60, "no value at all"),
        (list(np.linspace(0.1, 9.7, 40)) * 3, "measurements"),
    ],
)
def test_a_label_that_is_no_set_of_classes_is_refused(cells: object, fact: str) -> None:
    table = pd.DataFrame({"target": cells})
    table["x"] = range(len(table))
    with pytest.raises(InputError, match=fact):
        propose(table)


def test_an_id_that_repeats_is_not_taken_and_told(loans: pd.DataFrame) -> None:
    loans.loc[1, "loan_id"] = loans.loc[0, "loan_id"]
    proposal = propose(loans)
    assert proposal.name(Role.ID) is None
    assert told(proposal, "loan_id sounds like an id")
    with pytest.raises(InputError, match="repeat"):
        propose(loans, Wishes(id="loan_id"))


def test_times_without_a_zone_are_not_taken_because_every_such_case_would_be_refused(
    loans: pd.DataFrame,
) -> None:
    loans["opened_at"] = loans["opened_at"].str.removesuffix("+00:00")
    proposal = propose(loans)
    assert proposal.name(Role.TIME) is None
    assert told(proposal, "without a zone")


def test_rare_many_and_missing_classes_are_warned_of() -> None:
    labels = ["a", "b"] * 30 + ["once"] + [None] * 3
    proposal = propose(pd.DataFrame({"label": labels, "x": np.arange(len(labels)) % 13}))
    assert told(proposal, "1 classes have one example only (once)")
    assert told(proposal, "3 rows have no label")
    many = [f"class {place % 150}" for place in range(450)]
    crowded = propose(pd.DataFrame({"label": many, "x": np.arange(450) % 13}))
    assert told(crowded, "150 classes are many")
    assert told(crowded, "are few")


def test_labels_are_spelled_as_a_dataset_spells_them() -> None:
    table = pd.DataFrame({"label": [0.0, 1.0, None] * 20, "x": np.arange(60) % 11})
    assert dict(propose(table).classes) == {"0": 20, "1": 20}


def test_an_index_with_doubles_changes_nothing(loans: pd.DataFrame) -> None:
    assert propose(loans.set_axis([0] * len(loans))) == propose(loans)


def test_of_a_long_table_some_rows_tell_the_types_and_all_rows_tell_id_and_classes() -> None:
    rows = 60_000
    table = pd.DataFrame(
        {"id": range(rows), "x": np.arange(rows) % 97 * 1.5, "label": ["a", "b", "c"] * 20_000}
    )
    proposal = propose(table)
    assert sum(proposal.classes.values()) == rows
    assert told(proposal, "one row in 2")
    table.loc[rows - 1, "id"] = 1
    assert propose(table).name(Role.ID) is None


def test_a_table_of_nothing_but_constants_ids_and_the_label_is_refused() -> None:
    table = pd.DataFrame({"id": range(60), "country": ["DE"] * 60, "label": ["a", "b"] * 30})
    with pytest.raises(InputError, match="No column is left to learn from"):
        propose(table)


@pytest.mark.parametrize(
    ("wishes", "fact"),
    [
        (Wishes(label="nothing"), "no column 'nothing'"),
        (Wishes(label="purpose", id="purpose"), "named for two roles"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(loans: pd.DataFrame, wishes: Wishes, fact: str) -> None:
    with pytest.raises(InputError, match=fact):
        propose(loans, wishes)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(InputError, match="no rows"):
        propose(pd.DataFrame({"label": []}))


@pytest.mark.data
def test_weather_is_a_table_of_eight_numbers_without_id() -> None:
    proposal = propose(read_table(DATA / "weather" / "weather.csv"))
    assert proposal.kind is InputKind.TABLE
    assert proposal.names(Role.INPUT) == tuple(f"feat_{place}" for place in range(1, 9))
    assert (proposal.name(Role.LABEL), proposal.name(Role.ID)) == ("target", None)
    assert set(proposal.classes) == {"0", "1"}


@pytest.mark.data
def test_banking77_is_text_of_77_classes() -> None:
    proposal = propose(read_table(DATA / "banking77" / "train.csv"))
    assert (proposal.kind, proposal.names(Role.INPUT)) == (InputKind.TEXT, ("text",))
    assert (proposal.name(Role.LABEL), len(proposal.classes)) == ("category", 77)
