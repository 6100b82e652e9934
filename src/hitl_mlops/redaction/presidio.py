"""Microsoft Presidio beside our patterns, for what only a language model tells, such as names; an extra."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hitl_mlops.errors import ConfigurationError

PRESIDIO = "presidio"
"""What `review.mask_with` says; after a colon, the spaCy model, by name or folder."""
USUAL_MODEL = "en_core_web_lg"
LANGUAGE = "en"
OURS = frozenset(
    {"CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS", "IP_ADDRESS", "PHONE_NUMBER", "US_SSN", "DATE_TIME"}
)
"""Entities that are not asked for: our patterns find them, and most dates are nobody's."""


def names_presidio(address: str) -> bool:
    """`review.mask_with` names Presidio, and no function."""
    return address.partition(":")[0] == PRESIDIO


def presidio_function(address: str) -> Callable[[str], list[tuple[int, int, str]]]:
    """What `OwnFinder` asks; the model is loaded with the first text, and nothing is ever downloaded.

    Args:
        address: `presidio`, or `presidio:MODEL`.

    Raises:
        ConfigurationError: Presidio or the model is not installed.
    """
    model = address.partition(":")[2] or USUAL_MODEL
    if find_spec("presidio_analyzer") is None:
        raise ConfigurationError(
            "review.mask_with names presidio, which is not installed.",
            remedy="pip install 'hitl_mlops[presidio]', or take the line out.",
        )
    if not (Path(model).is_dir() or (model.isidentifier() and find_spec(model))):
        raise ConfigurationError(
            f"review.mask_with names the spaCy model {model}, which is not installed.",
            remedy=f"python -m spacy download {model}, or name another: {PRESIDIO}:MODEL.",
        )
    return lambda text: [
        (found.start, found.end, found.entity_type) for found in _analysed(_engine(model), text)
    ]


def _analysed(engine: Any, text: str) -> list[Any]:
    asked = [one for one in engine.get_supported_entities(language=LANGUAGE) if one not in OURS]
    found: list[Any] = engine.analyze(text=text, language=LANGUAGE, entities=asked)
    return found


@cache
def _engine(model: str) -> Any:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": LANGUAGE, "model_name": model}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    return AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=[LANGUAGE])
