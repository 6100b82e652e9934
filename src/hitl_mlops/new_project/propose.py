"""A user's table → the project that fits it, with a reason for every column. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from hitl_mlops.decisions.task import InputKind
from hitl_mlops.errors import InputError
from hitl_mlops.new_project.leak import PURE, purity
from hitl_mlops.new_project.names import TEXT_NAMES, is_personal, is_protected, words_of
from hitl_mlops.new_project.pixels import pattern_of
from hitl_mlops.new_project.proposal import Proposal, ProposedColumn, Role, Wishes
from hitl_mlops.new_project.roles import Chosen, choose_id, choose_label, choose_subject, choose_time
from hitl_mlops.new_project.sight import Sight, every, look, spelled_labels
from hitl_mlops.training.columns import ColumnType

MANY_CLASSES = 100
FEW_EXAMPLES = 5
"""Mean number of examples per class under which the first model will know little."""


def propose(frame: pd.DataFrame, wishes: Wishes | None = None) -> Proposal:
    """A role for every column of the table, each with its reason; what is ambiguous stands in the warnings.

    Args:
        frame: the user's table, as `read_table` gives it.
        wishes: what the user said already; it goes before anything found.

    Raises:
        InputError: no column can be the label, none is left to learn from, or a column the user named is
            not there or cannot be what it was named for.
    """
    sight = look(frame, wishes or Wishes())
    label = choose_label(sight)
    kind, kind_why, inputs, doubts = _choose_kind(sight, str(label.name))
    taken = {str(label.name), *inputs, *sight.wishes.columns().values()}
    chosen: dict[Role, Chosen] = {Role.LABEL: label}
    for role, choose in ((Role.ID, choose_id), (Role.SUBJECT, choose_subject), (Role.TIME, choose_time)):
        chosen[role] = choose(sight, taken)
        taken |= {name for name in (chosen[role].name,) if name}
    labels = spelled_labels(sight.frame[label.name])
    columns = tuple(_columns(sight, kind, chosen, inputs, labels))
    classes = {str(name): int(count) for name, count in labels.value_counts().items()}
    _demand_inputs(columns)
    warnings = [*doubts, *(doubt for one in chosen.values() for doubt in one.doubts)]
    warnings += [*_about_classes(classes, len(frame)), *_about_columns(sight, columns)]
    return Proposal(kind, kind_why, len(frame), columns, classes, tuple(warnings))


def _choose_kind(sight: Sight, label: str) -> tuple[InputKind, str, tuple[str, ...], tuple[str, ...]]:
    """The kind, why, the inputs where the kind settles them (not of a table), and doubts."""
    wished = sight.wishes.kind
    others = [name for name in sight.types if name != label]
    texts = sorted((name for name in others if sight.is_text(name)), key=lambda one: _as_text(sight, one))
    if sight.wishes.text is not None:
        return InputKind.TEXT, "you named the column of the text.", (sight.wishes.text,), ()
    pictures = sight.block or sight.paths[:1]
    if wished is InputKind.IMAGE or (wished is None and pictures):
        return _image(sight, pictures)
    if wished is InputKind.TEXT and not texts:
        raise InputError("No column holds text.", remedy="Name it: hitl init --data FILE --text COLUMN")
    numbers = [name for name in others if sight.types[name].type is ColumnType.NUMBER]
    if wished is InputKind.TEXT or (wished is None and len(texts) == 1 and not numbers):
        why = "you said so." if wished else f"{texts[0]} holds sentences, and no column holds numbers."
        more = (f"{', '.join(texts[1:])} hold text too: choose with --text.",) if texts[1:] else ()
        return InputKind.TEXT, why, (texts[0],), more
    return InputKind.TABLE, "you said so." if wished else "several columns describe a case.", (), ()


def _as_text(sight: Sight, name: str) -> tuple[bool, float]:
    return not set(words_of(name)) & TEXT_NAMES, -sight.mean_words(name)


def _image(
    sight: Sight, pictures: tuple[str, ...]
) -> tuple[InputKind, str, tuple[str, ...], tuple[str, ...]]:
    if not pictures:
        raise InputError(
            "No picture was found: neither numbered pixel columns that make a square, nor a column of paths.",
            remedy="Bring columns pixel_0, pixel_1, … row by row, or one column of PNG or JPEG paths.",
        )
    if sight.block:
        side = round(len(sight.block) ** 0.5)
        return InputKind.IMAGE, f"{len(sight.block)} columns are a picture of {side} by {side}.", pictures, ()
    doubt = (
        f"{pictures[0]} is read relative to the project's folder; the ready recipes read pixels, not files: "
        "set model.recipe to a function of yours that loads them."
    )
    return InputKind.IMAGE, f"{pictures[0]} holds paths of pictures.", pictures, (doubt,)


def _columns(
    sight: Sight,
    kind: InputKind,
    chosen: Mapping[Role, Chosen],
    inputs: tuple[str, ...],
    labels: pd.Series[str],
) -> Iterator[ProposedColumn]:
    if sight.block:
        yield from _block(sight, inputs)
    roles = {one.name: (role, one.why) for role, one in chosen.items() if one.name is not None}
    for name, found in sight.types.items():
        if name in roles:
            role, why = roles[name]
            yield ProposedColumn(
                name, role, found.type.value if role is Role.TIME else _held(sight, name), why
            )
        elif name in inputs:
            yield ProposedColumn(name, Role.INPUT, "text", _why_input(sight, name))
        else:
            yield _other(sight, kind, name, labels)


def _block(sight: Sight, block: tuple[str, ...]) -> Iterator[ProposedColumn]:
    pattern = pattern_of(block, [str(name) for name in sight.frame.columns])
    why = f"{len(block)} pixel columns, row by row."
    for name in (pattern,) if pattern is not None else block:
        yield ProposedColumn(name, Role.INPUT, "pixels", why)


def _held(sight: Sight, name: str) -> str:
    found = sight.types[name].type
    if found is not ColumnType.DROPPED:
        return found.value
    return "number" if pd.api.types.is_numeric_dtype(sight.frame[name].dtype) else "words"


def _why_input(sight: Sight, name: str) -> str:
    if sight.wishes.text == name:
        return "you named it."
    return (
        "it holds the pictures." if name in sight.paths else f"{sight.mean_words(name):.0f} words on average."
    )


def _other(sight: Sight, kind: InputKind, name: str, labels: pd.Series[str]) -> ProposedColumn:
    found = sight.types[name]
    type_ = _held(sight, name)
    if found.type is ColumnType.DROPPED:
        return ProposedColumn(name, Role.LEFT_OUT, type_, f"{found.why}.")
    if is_personal(name):
        return ProposedColumn(name, Role.LEFT_OUT, type_, "its name says that it tells who a person is.")
    some = labels.iloc[:: every(len(labels))]
    told = purity(sight.frame.loc[some.index, name], some)
    if told >= PURE:
        return ProposedColumn(name, Role.LEFT_OUT, type_, f"it tells the label in {told:.1%} of rows.")
    if kind is InputKind.TABLE:
        return ProposedColumn(name, Role.INPUT, type_, f"{found.why}.")
    if found.type is ColumnType.TEXT:
        return ProposedColumn(
            name, Role.LEFT_OUT, type_, "a second text; put it into task.show if it may leave."
        )
    return ProposedColumn(name, Role.SHOWN, type_, f"{found.why}; reviewers see it beside the case.")


def _demand_inputs(columns: tuple[ProposedColumn, ...]) -> None:
    if not any(column.role is Role.INPUT for column in columns):
        reasons = "; ".join(f"{one.name}: {one.why}" for one in columns if one.role is Role.LEFT_OUT)
        raise InputError(
            f"No column is left to learn from ({reasons or 'there are no others'}).",
            remedy="Bring columns that say more of a case, or name the label with --label.",
        )


def _about_classes(classes: Mapping[str, int], rows: int) -> Iterator[str]:
    labelled = sum(classes.values())
    if labelled < rows:
        yield f"{rows - labelled:,} rows have no label: nothing is learned from them."
    if len(classes) > MANY_CLASSES:
        yield f"{len(classes)} classes are many for a reviewer to choose from."
    if labelled < FEW_EXAMPLES * len(classes):
        yield f"{labelled} examples of {len(classes)} classes are few: expect the first model to be unsure."
    single = [name for name, count in classes.items() if count == 1]
    if single:
        some = ", ".join(single[:5]) + (", …" if len(single) > 5 else "")  # noqa: PLR2004
        yield f"{len(single)} classes have one example only ({some}): they cannot be learned and tested."


def _about_columns(sight: Sight, columns: tuple[ProposedColumn, ...]) -> Iterator[str]:
    for column in columns:
        if column.role is Role.LEFT_OUT and column.why.startswith("it tells the label"):
            yield (
                f"{column.name} gives the label away and was left out; if it is known before the decision, "
                "add it to task.inputs."
            )
        elif column.role is Role.LEFT_OUT and is_personal(column.name):
            yield f"{column.name} sounds personal: neither the model nor a reviewer gets it."
        elif column.role is Role.LEFT_OUT and column.why.startswith("always"):
            yield f"{column.name} is {column.why.removesuffix('.')}: it was left out."
        elif column.role is Role.INPUT and is_protected(column.name):
            yield f"{column.name} may be a protected group: if so, move it from inputs to task.protected."
    step = every(len(sight.frame))
    if step > 1:
        yield f"Types were found on one row in {step}."
