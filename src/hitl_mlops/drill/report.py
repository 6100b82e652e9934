"""The report of a drill as Markdown, for auditors to keep."""

from __future__ import annotations

from collections.abc import Iterator

from hitl_mlops.drill.record import Drill, Rehearsal


def markdown(drill: Drill) -> str:
    """The whole report; the same drill gives the same bytes."""
    return "\n".join(_lines(drill)) + "\n"


def honest(drill: Drill) -> tuple[str, ...]:
    """What was real in it and what was not, a sentence each."""
    learned = (
        f"Cases were drawn from {drill.rows:,} labelled rows of the base data; what the project's own recipe "
        "learned from them is the truth in the drill, and reviewers are simulated."
    )
    real = (
        "Database, trail, policy, routing and every verb are the real ones. "
        f"Label Studio and MLflow are {drill.servers}."
    )
    return (
        "Held on a copy: the project's data, models, tickets and servers were not touched.",
        learned,
        real,
        "Times are of this machine; hours that a rehearsal waits for were put forward on its clock.",
    )


def _lines(drill: Drill) -> Iterator[str]:
    yield f"# Drill of {drill.project}, {drill.held_at:%Y-%m-%d %H:%M} UTC\n"
    yield f"Policy `{drill.policy_hash}`, seed {drill.seed}.\n"
    for sentence in honest(drill):
        yield f"- {sentence}"
    yield "\n| rehearsal | verdict | seconds | decisions affected |"
    yield "|---|---|---|---|"
    for one in drill.rehearsals:
        yield f"| {one.scenario.value} | {one.verdict.value} | {one.seconds:.1f} | {one.affected:,} |"
    for one in drill.rehearsals:
        yield from _section(one)


def _section(one: Rehearsal) -> Iterator[str]:
    yield f"\n## {one.scenario.value}: {one.verdict.value}\n"
    yield f"{one.told}\n"
    yield f"{one.affected:,} {one.affected_are}.\n"
    yield "What a person had to do:\n"
    yield from (f"- {line}" for line in one.people)
    if one.demands:
        yield "\n| must hold | limit | found | |"
        yield "|---|---|---|---|"
        for each in one.demands:
            cells = (each.says, each.limit, each.found, "met" if each.met else "**not met**")
            yield "| " + " | ".join(map(_cell, cells)) + " |"
    yield "\n| what was done | s |"
    yield "|---|---|"
    yield from (f"| {_cell(step.what)} | {step.seconds:.2f} |" for step in one.steps)
    if one.figures:
        yield "\n| figure | |"
        yield "|---|---|"
        yield from (f"| `{name}` | {value:,} |" for name, value in one.figures.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
