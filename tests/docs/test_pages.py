"""What the pages say exists: make's targets, links, keys, code. Commands: test_cli_mentions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.policy_schema import policy_schema
from hitl_mlops.settings import read_settings
from tests.docs.pages import PAGES, ROOT, Block, anchors, blocks, links, targets

MADE_BY_US = [page for page in PAGES if "adr" not in page.parts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert targets(page) <= there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)

    assert lost == []


def yaml_blocks() -> Iterator[Block]:
    for page in MADE_BY_US:
        yield from blocks(page, "yaml")


@pytest.mark.parametrize("block", list(yaml_blocks()), ids=str)
def test_every_yaml_on_a_page_is_read(block: Block, tmp_path: Path) -> None:
    """A whole hitl.yaml or policy.yaml is read as it is; a piece is put into one that is whole."""
    if block.text.startswith("# policy.yaml"):  # both files have a section `review`
        assert parse_policy(_whole_policy(block.text)).routes
    elif re.search(r"^people:", block.text, re.MULTILINE):
        from hitl_mlops.review.roster import read_roster

        (tmp_path / "reviewers.yaml").write_text(block.text)
        assert read_roster(tmp_path / "reviewers.yaml").people
    elif re.search(r"^release-managers:", block.text, re.MULTILINE):
        from hitl_mlops.servers.mlflow_people import read_people

        (tmp_path / "mlflow-people.yaml").write_text(block.text)
        assert read_people(tmp_path / "mlflow-people.yaml").groups
    elif re.search(r"^(version|routes):", block.text, re.MULTILINE):  # both files have a section review
        assert parse_policy(block.text).routes
    elif re.search(r"^(project|task|model|services|screen|review|serve):", block.text, re.MULTILINE):
        (tmp_path / "hitl.yaml").write_text(_whole_settings(block.text))
        with pytest.MonkeyPatch.context() as environment:
            for name in re.findall(r"\$\{(\w+)\}", block.text):
                environment.setenv(name, "x")
            assert read_settings(tmp_path).project
    else:
        assert parse_policy(_whole_policy(block.text)).routes


def _whole_settings(text: str) -> str:
    rest = {
        "project": "project: p\n",
        "task": "task: {kind: table}\n",
        "model": "model: {name: p, base: data/base.csv}\n",
    }
    return text + "".join(
        piece for key, piece in rest.items() if not re.search(rf"^{key}:", text, re.MULTILINE)
    )


def _whole_policy(text: str) -> str:
    routes = (
        'routes:\n  auto: {confidence: ">= 0.9"}\n  standard: {confidence: "< 0.9"}\n'
        "  senior: {signatures: 1}\n"
    )
    whole = text if re.search(r"^routes:", text, re.MULTILINE) else text + routes
    names = (
        "low: {reversible: auto, irreversible: standard}, high: {reversible: senior, irreversible: senior}"
    )
    if re.search(r"^risk:", text, re.MULTILINE) and not re.search(r"^matrix:", text, re.MULTILINE):
        whole += f"matrix: {{{names}}}\n"
    return whole


@pytest.mark.parametrize("block", [one for page in MADE_BY_US for one in blocks(page, "python")], ids=str)
def test_every_python_on_a_page_is_python(block: Block) -> None:
    ast.parse(block.text)


def _keys(schema: Any) -> Iterator[str]:
    """Every key that some map of the schema may have."""
    if isinstance(schema, list):
        for each in schema:
            yield from _keys(each)
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from _keys(each)


def test_the_policy_reference_names_every_key_that_is_read() -> None:
    text = (ROOT / "docs" / "reference" / "policy-yaml.md").read_text()
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`", text))))
    keys = set(_keys(policy_schema()))

    assert {"routes", "confidence", "alpha_rollback"} <= keys
    assert keys - named == set()


def test_mkdocs_names_every_page_but_perhaps_a_decision_and_no_other() -> None:
    from ruamel.yaml import YAML

    config = YAML(typ="safe").load(re.sub(r"!!python/\S+", "", (ROOT / "mkdocs.yml").read_text()))
    listed = set(_listed(config["nav"]))
    there = {str(page.relative_to(ROOT / "docs")) for page in PAGES if "docs" in page.parts}

    assert config["theme"]["name"] == "material"
    assert listed <= there
    assert {page for page in there - listed if not page.startswith("adr/")} == set()


def _listed(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _listed(item)
