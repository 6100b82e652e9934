"""The verb: a challenger is judged, and its report stands where approvals are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pandas as pd
import pyarrow as pa

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.dataset.split import split_by_subject
from hitl_mlops.dataset.store import DatasetStore
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.decisions.task import Task
from hitl_mlops.gates.book import GateBook
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.footprint import measure_footprint
from hitl_mlops.gates.gather import data_facts, hard_cases, held_back_base, judged_cases, live_cases
from hitl_mlops.gates.gather_labels import label_quality
from hitl_mlops.gates.judge import judge
from hitl_mlops.gates.labelled_file import LabelledFile, on_file
from hitl_mlops.gates.measures import Drift, Measures
from hitl_mlops.gates.policy import gates_policy
from hitl_mlops.gates.render import Cost, json_bytes, markdown, page
from hitl_mlops.gates.report import GateReport
from hitl_mlops.gates.returned import label_returns
from hitl_mlops.gates.watched import watched
from hitl_mlops.ids import plain
from hitl_mlops.kpis.returns import LabelReturn
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.record import KeptAnswer
from hitl_mlops.routing.policy import Policy
from hitl_mlops.training.notes import gather_notes
from hitl_mlops.training.record import ModelVersion, ReleaseNotes
from hitl_mlops.training.registry import (
    DATASET_TAG,
    GATES_TAG,
    POLICY_TAG,
    RETRAINING,
    VERDICT_TAG,
    ModelRegistry,
)

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Champion:
    """Who serves.

    Attributes:
        version: the registry's version.
        digest: content hash of its bytes.
        since: when it became champion.
    """

    version: str
    digest: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Bench:
    """Where challengers are judged.

    Attributes:
        database: where the report and its trail entry are kept together.
        trail: told of every judgement.
        registry: whose page shows the report.
        store: what was learned.
        log: what was decided.
        answers: what people said.
        reports: every report ever made.
        measures: drift.
        policy: sets the bounds, and says what a review costs.
        task: the shape of a case.
        key: the project's; it fixes which subjects are held back.
        champion: who serves.
        golden: cases of a file that both are asked; None: the base data that was held back.
        stress: hard cases of a file; None: those that reviewers found hard.
    """

    database: Database
    trail: Trail
    registry: ModelRegistry
    store: DatasetStore
    log: DecisionLog
    answers: AnswerBook
    reports: GateBook
    measures: Measures
    policy: Policy
    task: Task
    key: bytes
    champion: Champion
    golden: LabelledFile | None = None
    stress: LabelledFile | None = None


def judge_challenger(bench: Bench, challenger: ModelVersion, *, now: datetime, actor: str) -> GateReport:
    """The report is kept, in the trail, attached to the version, and told on its page.

    Raises:
        NotFoundError: the dataset it learned from is gone.
        IntegrityError: a model's bytes are not those that were registered.
        ServiceDownError: the registry does not answer; the report is kept all the same once it was made.
    """
    dataset = bench.store.version(challenger.tags[DATASET_TAG])
    answers = bench.answers.answers_since(bench.champion.since)
    evidence = gather_evidence(bench, challenger, dataset, answers)
    bounds = gates_policy(bench.policy.section("gates"))
    report = judge(evidence, bounds, policy_hash=bench.policy.hash, now=now)
    notes = _notes(bench, dataset)
    returned = label_returns(evidence, notes.new_labels)
    with bench.database.transaction():
        bench.reports.keep(report)
        bench.trail.append([_judged(report, returned, actor, now)])
    _publish(bench, report, notes, evidence.drift, _cost(bench, notes, answers, returned))
    return report


def gather_evidence(
    bench: Bench, challenger: ModelVersion, dataset: DatasetVersion, answers: list[KeptAnswer]
) -> ChallengerEvidence:
    """All that is known of the challenger now; reads, and changes nothing."""
    rows = bench.store.read(dataset)
    held_back = split_by_subject(rows, key=bench.key).test
    frame = rows.to_pandas()
    is_base = (frame["source"] == "base").to_numpy(dtype=bool)
    decisions = bench.log.decisions(since=bench.champion.since)
    cases = bench.log.cases(one.case_id for one in decisions)
    resolutions = bench.answers.resolutions(since=bench.champion.since)
    ours = bench.registry.load(challenger.version, digest=challenger.digest)
    theirs = bench.registry.load(bench.champion.version, digest=bench.champion.digest)
    live = live_cases(_held_back(decisions, bench.key), cases, resolutions)
    judged = judged_cases(
        frame[held_back & is_base],
        live,
        challenger=ours,
        champion=theirs,
        slices=bench.task.slices,
        protected=bench.task.protected,
    )
    subjects, inputs = frame["subject"].to_numpy(), list(bench.task.inputs)
    read = partial(on_file, learned=frame[~held_back], challenger=ours, champion=theirs)
    return ChallengerEvidence(
        model_version=challenger.version,
        model_digest=challenger.digest,
        champion=bench.champion.version,
        dataset_digest=dataset.digest,
        classes=ours.classes,
        cases=judged,
        overlap=len(set(subjects[held_back]) & set(subjects[~held_back])),
        label_quality=label_quality(answers, resolutions),
        golden=held_back_base(judged) if bench.golden is None else read(bench.golden),
        stress=hard_cases(judged, live) if bench.stress is None else read(bench.stress),
        data=data_facts(frame[inputs], frame["label"], held_back, _learned_before(bench)),
        drift=_drift(bench, frame[is_base], [cases[one.case_id] for one in decisions]),
        footprint=measure_footprint(ours, frame.loc[held_back, inputs]),
        champion_footprint=measure_footprint(theirs, frame.loc[held_back, inputs]),
    )


def _learned_before(bench: Bench) -> dict[str, int]:
    """Class → rows that the champion may have learned from."""
    dataset = bench.store.version(bench.registry.get(bench.champion.version).tags[DATASET_TAG])
    rows = bench.store.read(dataset)
    learned = split_by_subject(rows, key=bench.key).train
    return {
        str(name): int(count) for name, count in rows.to_pandas()["label"][learned].value_counts().items()
    }


def _held_back(decisions: list[Decision], key: bytes) -> list[Decision]:
    subjects = pa.table({"subject": pa.array([one.subject for one in decisions], pa.string())})
    test = split_by_subject(subjects, key=key).test
    return [one for one, chosen in zip(decisions, test.tolist(), strict=True) if chosen]


def _drift(bench: Bench, base: pd.DataFrame, cases: list[Case]) -> Drift | None:
    if base.empty or not cases:
        return None
    model = bench.registry.load(bench.champion.version, digest=bench.champion.digest)
    before, since = (watched(bench.task, one, model) for one in (base, inputs_frame(cases)))
    return bench.measures.drift(before, since)


def _notes(bench: Bench, dataset: DatasetVersion) -> ReleaseNotes:
    champion = bench.store.version(bench.registry.get(bench.champion.version).tags[DATASET_TAG])
    return gather_notes(
        bench.store.labels(dataset),
        dataset,
        since=champion,
        policy_hash=bench.policy.hash,
        champion=bench.champion.version,
    )


def _cost(
    bench: Bench, notes: ReleaseNotes, answers: list[KeptAnswer], returned: tuple[LabelReturn, ...]
) -> Cost:
    hours = sum(one.answer.seconds or 0.0 for one in answers) / SECONDS_PER_HOUR
    review = bench.policy.costs.review if bench.policy.costs else None
    return Cost(len(answers), hours, corrected=notes.overrides, review=review, returned=returned)


def _publish(bench: Bench, report: GateReport, notes: ReleaseNotes, drift: Drift | None, cost: Cost) -> None:
    """The report stands on the version's page; the same again when it is made again."""
    registry, version = bench.registry, report.model_version
    name = registry.get(version).name
    files = {
        "gates.json": json_bytes(report),
        "gates.html": page(report, name=name, notes=notes, cost=cost),
    }
    if drift is not None and drift.html is not None:
        files["drift.html"] = drift.html
    registry.attach(version, files)
    registry.describe(version, markdown(report, name=name, notes=notes, cost=cost))
    bound = {GATES_TAG: report.digest, POLICY_TAG: report.policy_hash, VERDICT_TAG: report.verdict.value}
    for tag, value in bound.items():
        registry.set_tag(version, tag, value)


def _judged(report: GateReport, returned: tuple[LabelReturn, ...], actor: str, now: datetime) -> Event:
    return Event(
        Kind.GATES_JUDGED,
        actor,
        now,
        refs={
            "model": [report.model_version],
            "gates": [report.digest],
            "dataset": [report.dataset_digest],
            "policy": [report.policy_hash],
            "series": [RETRAINING],
        },
        facts={
            "verdict": report.verdict.value,
            "model_digest": report.model_digest,
            "champion": report.champion,
            "verdicts": {one.name: one.verdict.value for one in report.results},
            "returned": [plain(one) for one in returned],
        },
    )
