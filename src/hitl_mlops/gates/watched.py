"""The columns whose drift is watched."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hitl_mlops.decisions.model import Model
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.gates.gather import answered


def watched(task: Task, inputs: pd.DataFrame, model: Model) -> pd.DataFrame:
    """What is compared between two samples: what the model sees, what it answers, and how sure it is.

    Texts are watched by their length and number of words, since two sets of sentences share none.
    """
    if task.kind is InputKind.TEXT:
        texts = [str(text) for text in inputs[task.inputs[0]]]
        seen = pd.DataFrame({"characters": [*map(len, texts)], "words": [len(one.split()) for one in texts]})
    else:
        seen = inputs[list(task.inputs)]
    answers, confidence = answered(model, inputs)
    return seen.reset_index(drop=True).assign(
        answer=pd.Series(answers, dtype=object), confidence=np.asarray(confidence)
    )
