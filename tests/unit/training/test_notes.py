from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from hitl_mlops.dataset.manifest import DatasetVersion, Lineage
from hitl_mlops.dataset.store import LABEL_SCHEMA
from hitl_mlops.training.notes import gather_notes, render_notes
from tests.training_builders import DATASET, POLICY, a_fitted_model, release_notes

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def a_dataset(number: int, label_rows: int) -> DatasetVersion:
    lineage = Lineage(resolutions=0, resolutions_digest="sha256:0")
    return DatasetVersion(number, DATASET, None, label_rows, label_rows, NOW, lineage, {})


def an_event(source: str, model: str | None = None, people: str | None = "b") -> dict[str, object]:
    blank = dict.fromkeys(LABEL_SCHEMA.names)
    return blank | {
        "example_id": "e",
        "label": people,
        "source": source,
        "model_label": model,
        "decided_at": NOW,
    }


LABELS = pa.Table.from_pylist(
    [
        an_event("base"),
        an_event("override", "a", "b"),
        an_event("override", "c", "a"),
        an_event("override", "a", "b"),
        an_event("agreed", "b", "b"),
        an_event("withdrawn", None, None),
    ],
    schema=LABEL_SCHEMA,
)


def test_only_what_came_after_the_champions_dataset_is_new() -> None:
    notes = gather_notes(LABELS, a_dataset(2, 6), since=a_dataset(1, 2), policy_hash=POLICY, champion="6")
    assert (notes.new_labels, notes.overrides) == (3, 2)
    assert notes.overrides_by_class == (("a", "b", 1), ("c", "a", 1))


def test_for_the_first_model_all_labels_are_new_and_the_frequent_corrections_come_first() -> None:
    notes = gather_notes(LABELS, a_dataset(2, 6), since=None, policy_hash=POLICY, champion=None)
    assert (notes.new_labels, notes.overrides, notes.champion) == (5, 3, None)
    assert notes.overrides_by_class == (("a", "b", 2), ("c", "a", 1))


def test_the_page_says_what_it_learned_from_and_what_people_corrected() -> None:
    page = render_notes("cheques", a_fitted_model(), release_notes())
    assert page.startswith("### Challenger of cheques, for champion 1\n")
    assert f"dataset 2, `{DATASET}`" in page
    assert "214 since champion 1, of them 61 overrides" in page
    assert "| 8 | 3 | 40 |" in page
    assert POLICY in page
    assert "96 learned, 24 held back" in page


def test_a_recalibrated_model_tells_its_gap_before_and_after() -> None:
    figures = {"accuracy": 0.9, "calibration_gap_before": 0.189, "calibration_gap": 0.0}
    page = render_notes("cheques", a_fitted_model(metrics=figures), release_notes())
    assert "accuracy 0.900, calibration gap 0.000, before recalibration 0.189" in page


def test_without_overrides_there_is_no_table_of_them() -> None:
    page = render_notes("cheques", a_fitted_model(), release_notes(overrides=0, overrides_by_class=()))
    assert "people said" not in page


def test_beyond_ten_pairs_the_rest_stand_in_one_line() -> None:
    pairs = tuple((str(at), "x", 2) for at in range(14))
    page = render_notes("cheques", a_fitted_model(), release_notes(overrides_by_class=pairs))
    assert "| 4 other pairs | | 8 |" in page


def test_labels_cannot_draw_on_the_page() -> None:
    pairs = (("<img src=x>|a", "[b](http://c)\n# d", 1),)
    page = render_notes("cheques", a_fitted_model(), release_notes(overrides_by_class=pairs))
    row = page.strip().splitlines()[-1]
    assert row == r"| &lt;img src=x&gt;\|a | \[b\]\(http://c\) \# d | 1 |"


def test_without_held_back_rows_the_page_says_so() -> None:
    assert "no rows were held back" in render_notes("cheques", a_fitted_model(metrics={}), release_notes())
