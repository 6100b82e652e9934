"""Which column is the label, the id, the time and the subject, each with the reason. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hitl_mlops.decisions.cells import any_fault, screen_id, screen_time
from hitl_mlops.errors import InputError
from hitl_mlops.new_project.names import label_rank, names_a_case, names_a_subject, names_a_time
from hitl_mlops.new_project.sight import Sight, spelled_labels
from hitl_mlops.training.columns import ColumnType

MOST_CLASSES = 200
"""A column with more values is not taken for the label unless the user says so."""
MOST_GUESSED_CLASSES = 30
"""So many values may the last column have to be taken for the label when no name tells."""
OFTEN = 2.0
"""Mean number of rows per value from which values are classes."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column for a role; name None: no column has it. `doubts` are sentences for the user."""

    name: str | None
    why: str = ""
    doubts: tuple[str, ...] = ()


def choose_label(sight: Sight) -> Chosen:
    """The column of the truth: the user's word, else by name, else the last column where its values repeat.

    Raises:
        InputError: no column can be the label, or the chosen one holds measurements or a single class.
    """
    named = sight.wishes.label
    if named is not None:
        _demand_classes(sight, named)
        return Chosen(named, "you named it.")
    taken = set(sight.wishes.columns().values())
    free = [name for name in sight.types if name not in taken]
    ranked = sorted((rank, name) for name in free if (rank := label_rank(name)) is not None)
    usable = [name for _, name in ranked if _could_be_classes(sight, name, MOST_CLASSES)]
    if usable:
        others = [name for name in usable[1:] if label_rank(name) == label_rank(usable[0])]
        return Chosen(
            usable[0],
            f"its name says so and its {_count(sight, usable[0])} values repeat.",
            _could_be_too(others),
        )
    if ranked:
        _demand_classes(sight, ranked[0][1])
    return _guessed_label(sight, free)


def _guessed_label(sight: Sight, free: list[str]) -> Chosen:
    candidates = [name for name in free if _could_be_classes(sight, name, MOST_GUESSED_CLASSES)]
    if candidates and candidates[-1] == list(sight.frame.columns)[-1]:
        last = candidates[-1]
        return Chosen(
            last,
            f"no name tells; it is the last column and its {_count(sight, last)} values repeat.",
            (f"{last} was taken for the label only because it stands last: name another with --label.",),
        )
    perhaps = f" (perhaps {', '.join(candidates[:5])})" if candidates else ""
    raise InputError(
        "No column was found that holds the truth: none is called label, target, class or category.",
        remedy=f"Name it: hitl init --data FILE --label COLUMN{perhaps}. "
        "Data without labels cannot teach a first model.",
        candidates=candidates,
    )


def _could_be_too(others: list[str]) -> tuple[str, ...]:
    return (f"{', '.join(others)} could be the label too: name it with --label.",) if others else ()


def _count(sight: Sight, name: str) -> int:
    return int(spelled_labels(sight.frame[name]).nunique())


def _could_be_classes(sight: Sight, name: str, most: int) -> bool:
    if _is_measured(sight, name) or sight.types[name].type is ColumnType.DATE:
        return False
    labels = spelled_labels(sight.frame[name])
    return 2 <= labels.nunique() <= most and len(labels) >= OFTEN * labels.nunique()  # noqa: PLR2004


def _is_measured(sight: Sight, name: str) -> bool:
    """Numbers with a fraction: an amount, not a class."""
    if sight.types[name].type is not ColumnType.NUMBER:
        return False
    return any("." in label for label in spelled_labels(sight.frame[name]).unique())


def _demand_classes(sight: Sight, name: str) -> None:
    labels = spelled_labels(sight.frame[name])
    count = int(labels.nunique())
    elsewhere = "Name the column of the truth with --label."
    if count < 2:  # noqa: PLR2004
        held = f"only the class {labels.iloc[0]!r}" if count else "no value at all"
        raise InputError(f"The label column {name} holds {held}.", remedy=f"Bring two classes. {elsewhere}")
    if len(labels) < OFTEN * count and count > MOST_GUESSED_CLASSES:
        raise InputError(
            f"The column {name} has {count:,} values in {len(labels):,} rows: they are no classes.",
            remedy=elsewhere,
        )
    if _is_measured(sight, name) and count > MOST_GUESSED_CLASSES:
        raise InputError(
            f"The column {name} holds measurements ({count:,} values), and hitl decides between classes.",
            remedy=f"Add a column of classes, such as low and high. {elsewhere}",
        )


def choose_id(sight: Sight, taken: set[str]) -> Chosen:
    """The column of the case id: the user's word, else the first that is named so and unique.

    A column that is called id and repeats is told as a doubt.

    Raises:
        InputError: the user named a column whose values repeat or are missing.
    """
    named = sight.wishes.id
    if named is not None:
        if not sight.is_unique(named):
            raise InputError(
                f"The id column {named} has values that repeat or are missing.",
                remedy="Mend the file, name another column with --id, or leave --id out: ids are then made.",
            )
        return Chosen(named, "you named it, and every row has a value of its own.")
    doubts: list[str] = []
    for name in _in_order(sight, taken, names_a_case, first="id"):
        if (
            sight.is_unique(name)
            and not any_fault(screen_id(sight.frame[name]).faults, len(sight.frame)).any()
        ):
            return Chosen(name, "its name says so and every row has a value of its own.", tuple(doubts))
        if sight.types[name].type is not ColumnType.NUMBER or name.lower() == "id":
            doubts.append(f"{name} sounds like an id and its values repeat or are missing: it was not taken.")
    return Chosen(None, doubts=tuple(doubts))


def choose_subject(sight: Sight, taken: set[str]) -> Chosen:
    """The column of the person or account: the user's word, else the first named so, without gaps."""
    named = sight.wishes.subject
    if named is not None:
        gaps = () if sight.is_whole(named) else (f"{named} has gaps: rows without a subject are refused.",)
        return Chosen(named, "you named it.", gaps)
    for name in _in_order(sight, taken, names_a_subject):
        if not any_fault(screen_id(sight.frame[name]).faults, len(sight.frame)).any():
            why = "its name says whose the case is: sampling and splits go by it."
            return Chosen(name, why)
    return Chosen(None)


def choose_time(sight: Sight, taken: set[str]) -> Chosen:
    """The column of the event time: the user's word, else one of dates by name, else the only one of dates.

    Times without a zone are not taken: nobody can say which moment they are.
    """
    named = sight.wishes.time
    if named is not None:
        wrong = () if _is_moment(sight, named) else (_without_zone(named, "every such row will be refused"),)
        return Chosen(named, "you named it.", wrong)
    dates = [name for name in _in_order(sight, taken, lambda _: True) if _is_date(sight, name)]
    told = [name for name in dates if names_a_time(name)] or (dates if len(dates) == 1 else [])
    for name in told:
        if _is_moment(sight, name):
            others = [other for other in told if other != name]
            doubts = (f"{', '.join(others)} could be the time too: name it with --time.",) if others else ()
            return Chosen(name, "it holds times with a zone.", doubts)
    return Chosen(None, doubts=tuple(_without_zone(name, "it was not taken for the time") for name in told))


def _in_order(sight: Sight, taken: set[str], says: Callable[[str], bool], *, first: str = "") -> list[str]:
    names = [name for name in sight.types if name not in taken and says(name)]
    return sorted(names, key=lambda name: name.lower() != first)


def _is_date(sight: Sight, name: str) -> bool:
    return sight.types[name].type is ColumnType.DATE


def _is_moment(sight: Sight, name: str) -> bool:
    return not any_fault(screen_time(sight.frame[name]).faults, len(sight.frame)).any()


def _without_zone(name: str, then: str) -> str:
    return f"{name} has times without a zone, or gaps ({then}): write them as 2026-01-31T12:00:00+00:00."
