"""What a project decides about: the shape of its cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hitl_mlops.redaction.masking import Masking


class InputKind(StrEnum):
    """What a case's input is."""

    TEXT = "text"
    TABLE = "table"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Task:
    """The shape of a case, as `hitl.yaml` tells it.

    Attributes:
        project: name of the project; also the name of its Label Studio project.
        kind: text, table or image.
        inputs: columns that the model sees. One column of text; columns of a table; for an image either
            one column of paths, or the columns of its pixels, row by row, values 0…max.
        classes: the labels, as text, in the order of the guideline.
        id: column of the case id; None: made from the input's hash.
        subject: column of the person or account; None: the case id.
        time: column of the event time; None: the time of intake.
        label: column of the truth in base data; absent in new cases.
        show: columns that a reviewer sees beside the input; nothing else leaves.
        slices: columns for whose values figures are also given apart.
        protected: columns whose groups are to be treated alike; kept with a case, never shown to a reviewer.
        attributes: columns kept with the decision because the policy reads them.
        masking: which personal data is masked before a value leaves for the desk.
        show_images: columns of paths whose pictures a reviewer sees beside the input.
        guideline: (class, what it means) of the classes that the guideline speaks of, in their order.
    """

    project: str
    kind: InputKind
    inputs: tuple[str, ...]
    classes: tuple[str, ...]
    id: str | None = None
    subject: str | None = None
    time: str | None = None
    label: str | None = None
    show: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    masking: Masking = field(default_factory=Masking)
    show_images: tuple[str, ...] = ()
    guideline: tuple[tuple[str, str], ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """Columns beside the inputs that are kept: shown, sliced by, protected, or read by the policy."""
        return tuple(dict.fromkeys((*self.beside, *self.slices, *self.protected, *self.attributes)))

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns that a reviewer sees beside the inputs, as values or as pictures."""
        return (*self.show, *(name for name in self.show_images if name not in self.show))
