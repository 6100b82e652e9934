"""The page for whoever leads the team: one HTML file that stands alone. No reviewer is to see it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hitl_mlops.kpis.charts import intervals
from hitl_mlops.kpis.report import Section, Tile, render, told
from hitl_mlops.oversight.reviewers import ReviewerFigures
from hitl_mlops.oversight.team import Team, confirmed, next_step
from hitl_mlops.statistics.rates import Rate

_MEANING = (
    "A seed is a real case whose true class is known, shown with a wrong suggestion; nobody is told which "
    "cases are seeds. Who reads the case catches it. The evidence is weighed so that one may look at it as "
    "often as one likes: somebody who catches {promised:.0%} or more is ever suspected with a chance of "
    "{alpha:.1%} at the most, counted from when they were last talked to. Of {people} such people "
    "{wrongly:.2g} at the most would be suspected wrongly, on average. A suspicion is a reason to talk, not "
    "a proof, and not a basis for pay or dismissal: the person may have known the case, or the truth may be "
    "wrong. Intervals are at 95 %. Keep this page from those who review: a seed that is known of measures "
    "nothing."
)


_MUCH = 1_000_000


def team_page(team: Team, project: str) -> str:
    """The page as HTML; it needs no other file and no network."""
    sections = [
        Section("What these figures mean, and what not", _meaning(team)),
        _seeds(team),
        _people(team),
        *_confirmed(team),
        _calibration(team),
        _routes(team),
        _pace(team),
        _agreement(team),
        _classes(team),
    ]
    return render(f"How people judge in {project}", team.at, _tiles(team), sections)


def write_page(page: str, path: Path) -> Path:
    """The page stands at the path, readable for its owner alone, also where another stood there before."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(page)
    draft.replace(path)
    return path


def _meaning(team: Team) -> str:
    policy, people = team.policy, len(team.people)
    return _MEANING.format(
        promised=policy.catch_rate, alpha=policy.alpha, people=people, wrongly=people * policy.alpha
    )


def _tiles(team: Team) -> list[Tile]:
    overall = team.agreement.overall
    return [
        Tile("People", f"{len(team.people)}", f"answers of the last {team.days} days"),
        Tile("To talk to", f"{len(team.suspicions)}", "suspicions that are open"),
        Tile(
            "Seeds",
            f"{team.seeds}",
            f"opened in these days, {team.seeds_open} not answered yet; {team.known_left} known cases left",
        ),
        Tile(
            "Agreement",
            "-" if overall.value is None else f"{overall.value:.2f}",
            f"Krippendorff's alpha, {overall.units} tickets that two answered",
        ),
        Tile("Guideline issues", f"{len(team.issues)}", "classes on which people do not agree"),
    ]


def _seeds(team: Team) -> Section:
    rows = [(team.name(one.person), *_ends(one.seeds.caught)) for one in _seeded(team)]
    return Section(
        "Seeds caught",
        "" if rows else "Nobody has answered a seed yet.",
        drawing=intervals(rows, f"share caught; {team.policy.catch_rate:.0%} is promised") if rows else "",
    )


def _people(team: Team) -> Section:
    suspected = {one.person for one in team.suspicions}
    return Section(
        "Each person, and what to do next",
        "Evidence is the factor by which stamping explains the seeds better than keeping the promise; from "
        f"{1 / team.policy.alpha:,.0f} on somebody is suspected.",
        columns=("person", "answers", "refused", "passed on", "seeds", "caught", "evidence", "do next"),
        rows=tuple(
            (
                team.name(person) + (" (suspected)" if person in suspected else ""),
                f"{one.answers:,}",
                f"{one.refused:,}",
                told(one.escalated),
                f"{one.seeds.seen}",
                told(one.seeds.caught),
                evidence_told(one.seeds.e_value),
                next_step(team, person),
            )
            for person, one in team.people.items()
        ),
    )


def evidence_told(e_value: float) -> str:
    """The evidence as people read it.

    >>> evidence_told(1.0), evidence_told(155.8), evidence_told(1e27)
    ('1.0', '155.8', 'over 1,000,000')
    """
    return f"{e_value:,.1f}" if e_value <= _MUCH else f"over {_MUCH:,}"


def _confirmed(team: Team) -> list[Section]:
    rows = tuple(
        (team.name(one.person), one.decision_id, one.suggestion, one.truth, one.source.value)
        for one in confirmed(team)
    )
    if not rows:
        return []
    heads = ("person", "decision", "was suggested, and confirmed", "is true", "known by")
    text = (
        "To talk about; read them first (hitl decision show ID): a truth may be wrong. None is asked again."
    )
    return [
        Section("Seeds that suspected people confirmed, the latest first", text, columns=heads, rows=rows)
    ]


def _calibration(team: Team) -> Section:
    return Section(
        "Right, where what is true is known",
        "Blind: they were not shown what the model said. Pull is how much less often they are right on cases "
        "that the model gets wrong when they are shown its answer; much above 0, the page pulls them along. "
        "Settled: of what an adjudicator, or two others, settled.",
        columns=("person", "blind, model right", "blind, model wrong", "seeds, right", "pull", "settled"),
        rows=tuple(
            (
                team.name(person),
                told(one.calibration.where_model_right),
                told(one.calibration.where_model_wrong),
                told(one.seeds.right),
                "-" if one.calibration.pull is None else f"{100 * one.calibration.pull:+.0f} points",
                told(one.settled),
            )
            for person, one in team.people.items()
        ),
    )


def _routes(team: Team) -> Section:
    routes = sorted({route for one in team.people.values() for route in one.overrides})
    nobody = Rate(None, None, None, 0, 0)
    return Section(
        "Overridden, by route",
        "Share of the model's answers that they did not confirm. Few overrides are no sign of stamping where "
        "the model is good. Spot checks: share of all automatic decisions they would overrule, weighted.",
        columns=("person", *routes, "spot checks"),
        rows=tuple(
            (
                team.name(person),
                *(told(one.overrides.get(route, nobody)) for route in routes),
                told(one.spot_check_errors),
            )
            for person, one in team.people.items()
        ),
    )


def _pace(team: Team) -> Section:
    return Section(
        "Time, against how hard the cases were",
        "1 is as long as the others take for cases on which the model was as sure. Who is proven to need "
        "less than half gets more seeds; nothing else follows from it.",
        columns=("person", "times the others", "95 %", "timed answers"),
        rows=tuple(
            (
                team.name(person),
                "-" if one.pace.factor is None else f"{one.pace.factor:.2f}" + (" fast" * one.pace.fast),
                "-" if one.pace.low is None else f"{one.pace.low:.2f}…{one.pace.high:.2f}",
                f"{one.pace.answers:,}",
            )
            for person, one in team.people.items()
        ),
    )


def _agreement(team: Team) -> Section:
    found = team.agreement
    if not found.pairs:
        return Section("How far two people agree", "No two people have answered the same ticket.")
    fleiss = "-" if found.fleiss is None else f"{found.fleiss:.2f}"
    return Section(
        "How far two people agree",
        f"Cohen's kappa: 1 always, 0 as chance would. Fleiss' kappa of all: {fleiss}.",
        columns=("two people", "tickets", "kappa"),
        rows=tuple(
            (
                " and ".join(map(team.name, one.people)),
                f"{one.cases:,}",
                "-" if one.kappa is None else f"{one.kappa:.2f}",
            )
            for one in found.pairs
        ),
    )


def _classes(team: Team) -> Section:
    title = "Classes, the least agreed on first"
    if not team.agreement.by_class:
        return Section(title, "No two people have answered the same ticket.")
    opened = {one.label: one.issue_id for one in team.issues}
    rows = []
    for label, one in sorted(team.agreement.by_class.items(), key=_weakest_first):
        known = one.value is not None and one.low is not None and one.high is not None
        told_of = f"{one.value:.2f} ({one.low:.2f}…{one.high:.2f})" if known else "-"
        rows.append((label, f"{one.units:,}", told_of, opened.get(label, "-")))
    return Section(
        title,
        "Krippendorff's alpha of the class against all others. An issue stays open until somebody closes it: "
        "hitl guideline close ISSUE --reason …",
        columns=("class", "cases", "alpha, 95 %", "open issue"),
        rows=tuple(rows),
    )


def _weakest_first(row: tuple[str, object]) -> tuple[float, str]:
    value = getattr(row[1], "value", None)
    return (2.0 if value is None else float(value), row[0])


def _seeded(team: Team) -> Iterable[ReviewerFigures]:
    return [one for one in team.people.values() if one.seeds.seen]


def _ends(found: Rate) -> tuple[float, float, float]:
    return found.value or 0.0, found.low or 0.0, 1.0 if found.high is None else found.high
