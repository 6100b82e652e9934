"""Chapter 5: approved in MLflow, watched in the shadow, tried on a growing share, made champion."""

from __future__ import annotations

from dataclasses import dataclass

from hitl_mlops.demo.comparison import Comparison, compare
from hitl_mlops.demo.people import MANAGER, TRAINER
from hitl_mlops.demo.scene import Scene
from hitl_mlops.errors import IntegrityError, RefusedError
from hitl_mlops.outcomes import Look
from hitl_mlops.rollout.state import Action, Stage
from hitl_mlops.rollout.step import Step
from hitl_mlops.training.registry import APPROVAL_TAG

BATCH = 50
APPROVAL = "approve: reads the new scanner better, and its gates pass"


@dataclass(frozen=True, slots=True)
class Tried:
    """A rollout that is over.

    Attributes:
        version: the challenger.
        looks: one per batch of cheques.
        seconds: from its start to its end.
    """

    version: str
    looks: tuple[Look, ...]
    seconds: float

    @property
    def last(self) -> Look:
        """The look that ended it."""
        return self.looks[-1]


def promote(scene: Scene, version: str) -> tuple[Tried, Comparison]:
    """The version is champion, and was compared with the one before on cheques that nobody had used.

    Raises:
        RefusedError: the canary did not promote it.
    """
    tell = scene.narrator
    tell.chapter("Approval, shadow, canary, promotion")
    with tell.step("refused approval", "An engineer tries to approve in MLflow") as step:
        step.done(
            f"{TRAINER.title()}, who trains models (played by the demo), logs in to MLflow and tries to "
            f"approve version {version}. Refused: {_refused(scene, version)}"
        )
    with tell.step("approval", "The release manager approves in MLflow") as step:
        scene.registry_as(MANAGER).set_tag(version, APPROVAL_TAG, APPROVAL)
        scene.project.start_rollout(version)
        step.done(
            f"{MANAGER.title()}, the release manager (played too), logs in and sets the tag {APPROVAL_TAG} "
            f"of version {version}; it is bound to these bytes, gates and policy. {_proof(scene, version)} "
            "The challenger now sees every cheque in the shadow."
        )
    before = scene.project.champion().challenger
    tried = try_out(scene, version)
    ended = tried.last.step
    if ended is None or ended.after.stage is not Stage.PROMOTED:
        raise RefusedError(
            f"The canary did not promote version {version}: "
            f"{ended.reason if ended else 'no rollout is live'}",
            remedy="Please report this, with the file .hitl/logs/demo.log of the demo's folder.",
        )
    with tell.step("accuracy", "Both versions read cheques that were held out to the end") as step:
        found = compare(scene, champion=before, challenger=version)
        step.done(found.told())
    tell.aside(
        "Until the proof was there, most cheques were still read by the old version; both answered every "
        "one, and "
        "people were asked, without being told why, wherever the two differed."
    )
    return tried, found


def _refused(scene: Scene, version: str) -> str:
    """Why MLflow does not take the approval of somebody who may not.

    Raises:
        IntegrityError: it took it.
    """
    try:
        scene.registry_as(TRAINER).set_tag(version, APPROVAL_TAG, APPROVAL)
    except RefusedError as refused:
        return refused.fact.partition("refused: ")[2]
    raise IntegrityError(
        f"MLflow let {TRAINER} approve version {version}, who is no release manager.",
        remedy="Please report this, with the file .hitl/logs/demo.log of the demo's folder.",
    )


def _proof(scene: Scene, version: str) -> str:
    """Whether it is proved who approved, as the trail has it."""
    given = scene.project.rollouts.consent.approvals(version)[-1]
    if given.claimed:
        return f"Nobody proved that it was {given.approver}: the approval is claimed."
    return f"Proved: MLflow checked the log-in and signed who and when ({given.approver} in the trail)."


def try_out(scene: Scene, version: str) -> Tried:
    """Cheques come in, batch by batch, until the live rollout is over; a line for each move."""
    tell, began, looks = scene.narrator, scene.narrator.elapsed_s, list[Look]()
    while not looks or (looks[-1].step is not None and looks[-1].step.after.live):
        looks.append(_until_it_moves(scene, looks))
    return Tried(version, tuple(looks), tell.elapsed_s - began)


def _until_it_moves(scene: Scene, looks: list[Look]) -> Look:
    live = scene.project.parts.rollouts.live()
    where = "in the shadow" if live is None or live.stage is Stage.SHADOW else f"at {live.share_percent:g} %"
    with scene.narrator.step(f"rollout {where}", f"The challenger is {where}") as step:
        while True:
            made = scene.decide_next(BATCH)
            scene.project.push()
            scene.review(made.decisions, step, f"The challenger is {where}: tickets")
            scene.project.collect()
            look = _look(scene)
            if look.step is None or look.step.action is not Action.HOLD:
                break
            looks.append(look)
            step.now(f"The challenger is {where}. {look.step.reason}")
        step.done(look.step.reason if look.step else "No rollout is live.")
    return look


def _look(scene: Scene) -> Look:
    """One look; where collecting has rolled the challenger back already, that."""
    look = scene.project.step_rollout()
    ended, evidence = scene.project.rollout_status()
    if look.step is not None or ended is None or evidence is None:
        return look
    return Look(Step(Action.ROLL_BACK, ended, ended.reason), evidence)
