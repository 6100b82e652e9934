"""The screen as a Great Expectations suite, written as code: the real adapter."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hitl_mlops.errors import PermanentError
from hitl_mlops.overrides.reasons import BARRING, Reason, must_name_a_class, refuse_repeats
from hitl_mlops.overrides.record import ScreenedAnswer
from hitl_mlops.overrides.screen import Known, ScreenPolicy
from hitl_mlops.review.answer import Answer

_of_this_thread = threading.local()


@dataclass(frozen=True, slots=True)
class GreatExpectationsScreen:
    """Validates a frame of answers; every failed expectation is a reason for the rows it names.

    The suite is run for its verdicts, and only expectations that do not hold are run again for the rows: half
    the time where all is well. The context is ephemeral, sends nothing anywhere and writes nothing. About
    0.05 s for a batch, whatever its size up to some thousands; the first call imports the library (some
    seconds).
    """

    policy: ScreenPolicy = field(default_factory=ScreenPolicy)

    def screen(self, answers: Sequence[Answer], known: Known) -> list[ScreenedAnswer]:
        """As the port says.

        Raises:
            PermanentError: an expectation could not be computed; nothing is accepted then.
        """
        checked = [place for place, answer in enumerate(answers) if not answer.skipped]
        reasons: dict[int, list[Reason]] = defaultdict(list)
        if checked:
            with _quiet():
                for reason, place in self._refused(answers, checked, known):
                    reasons[place].append(reason)
        return refuse_repeats(answers, reasons, known.answered)

    def _refused(
        self, answers: Sequence[Answer], checked: list[int], known: Known
    ) -> Iterator[tuple[Reason, int]]:
        """(reason, position) for every row that an expectation names."""
        import pandas as pd

        rows = [_row(place, answers[place], known) for place in checked]
        batch = _whole_frame().get_batch({"dataframe": pd.DataFrame(rows)})
        suite = expectations(self.policy, known)
        failed = {reason for reason, result in _validate(batch, suite, _VERDICTS) if not result.success}
        suite = [one for one in suite if one.meta["reason"] in failed]
        for reason, result in _validate(batch, suite, _ROWS):
            for row in result.result.get("unexpected_index_list") or ():
                yield reason, int(row["place"])


_VERDICTS = {"result_format": "BOOLEAN_ONLY"}
_ROWS = {"result_format": "COMPLETE", "unexpected_index_column_names": ["place"]}


def _validate(batch: Any, suite: list[Any], result_format: dict[str, Any]) -> Iterator[tuple[Reason, Any]]:
    """Each expectation's reason and result; nothing for an empty suite."""
    import great_expectations as gx

    if not suite:
        return
    found = batch.validate(
        gx.ExpectationSuite(name="answers", expectations=suite), result_format=result_format
    )
    for result in found.results:
        reason = Reason(result.expectation_config.meta["reason"])
        if result.exception_info.get("raised_exception", True):
            raise PermanentError(
                f"Great Expectations could not check whether {reason}.",
                remedy="Nothing of this page was kept. Run `hitl doctor` to see the versions installed.",
                detail=str(result.exception_info.get("exception_message")),
            )
        yield reason, result


def expectations(policy: ScreenPolicy, known: Known) -> list[Any]:
    """The suite: one expectation per reason, which stands in its `meta`."""
    import great_expectations.expectations as gxe

    def because(reason: Reason) -> dict[str, Any]:
        return {"meta": {"reason": reason.value}}

    classes, accounts = sorted(known.classes), sorted(known.reviewers)
    return [
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="ticket", column_B="ticket_opened", **because(Reason.UNKNOWN_TICKET)
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="reviewer", value_set=accounts, **because(Reason.UNKNOWN_REVIEWER)
        ),
        *(
            gxe.ExpectColumnValuesToBeInSet(column=reason.name, value_set=["no"], **because(reason))
            for reason in BARRING
            if known.barred.get(reason)
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="reviewer", column_B="edited_by", **because(Reason.EDITED_BY_ANOTHER)
        ),
        gxe.ExpectColumnValuesToBeInSet(column="class_given", value_set=["yes"], **because(Reason.NO_CLASS)),
        gxe.ExpectColumnValuesToBeInSet(column="label", value_set=classes, **because(Reason.UNKNOWN_CLASS)),
        gxe.ExpectColumnValuesToBeInSet(column="sound", value_set=["yes"], **because(Reason.CONTRADICTION)),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="rationale", min_value=policy.min_rationale_chars, **because(Reason.NO_RATIONALE)
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="seconds", **because(Reason.NO_TIME)),
        gxe.ExpectColumnValuesToBeBetween(
            column="seconds", min_value=policy.min_seconds, **because(Reason.TOO_FAST)
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="seconds", max_value=policy.max_seconds, **because(Reason.TOO_SLOW)
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="ahead_s", max_value=policy.max_ahead_s, **because(Reason.FROM_THE_FUTURE)
        ),
    ]


def _whole_frame() -> Any:
    """How a frame becomes a batch: made once per thread, because making it costs as much as a validation."""
    if not hasattr(_of_this_thread, "whole_frame"):
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.enable_analytics(enable=False)
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("desk").add_dataframe_asset("answers")
        _of_this_thread.whole_frame = asset.add_batch_definition_whole_dataframe("page")
    return _of_this_thread.whole_frame


def _row(place: int, answer: Answer, known: Known) -> dict[str, Any]:
    seconds = answer.seconds
    return {
        "place": place,
        "ticket": f"={answer.ticket_id}",
        "ticket_opened": f"={answer.ticket_id}" if answer.ticket_id in known.tickets else "",
        "reviewer": answer.reviewer.lower(),
        "edited_by": answer.edited_by.lower(),
        **{one.name: "yes" if answer.key in known.barred.get(one, ()) else "no" for one in BARRING},
        "class_given": "yes" if answer.label is not None or not must_name_a_class(answer) else "no",
        "label": answer.label,
        "sound": "no" if answer.contradicts_itself else "yes",
        "rationale": answer.rationale.strip(),
        "seconds": seconds if seconds is not None and math.isfinite(seconds) else None,
        "ahead_s": (answer.answered_at - known.now).total_seconds(),
    }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Great Expectations warns about its own imports and reports home unless told not to."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
