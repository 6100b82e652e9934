from __future__ import annotations

import json
import re

import numpy as np

from hitl_mlops.gates.judge import judge
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.render import Cost, json_bytes, markdown, page, tally
from hitl_mlops.gates.report import Verdict
from hitl_mlops.ids import sha256_hex
from hitl_mlops.training.record import ReleaseNotes
from tests.gate_builders import NOON, challenger_evidence, gate_report, gate_result, judged_cases

NOTES = ReleaseNotes(5, "sha256:" + "cd" * 32, 214, 61, (("8", "3", 20), ("1", "7", 9)), "sha256:p", "6")
ATTACK = "<script>alert(1)</script>|[x](http://evil) `$\\alpha$`\n# big"


def a_report(**changes):
    return judge(challenger_evidence(**changes), GatesPolicy(), policy_hash="sha256:" + "ef" * 32, now=NOON)


def test_the_screen_tells_advice_change_evidence_doubt_cost_and_how_to_approve():
    text = markdown(a_report(), name="cheques", notes=NOTES, cost=Cost(214, 3.5))

    for words in (
        "Challenger 7 of cheques",
        "recommended: approve",
        "8→3 (20), 1→7 (9)",
        "61 overrides",
        "**Proven better**",
        "**Proven worse**",
        "**Doubtful**",
        "214 answers, 3.5 hours",
        "`hitl.approval` to `approve: your reason`",
    ):
        assert words in text
    assert len(text.splitlines()) <= 30


def test_a_failed_report_advises_against_and_asks_for_no_approval():
    text = markdown(a_report(cases=judged_cases(challenger_error=0.5)), name="cheques")

    assert "do not approve" in text
    assert "would be refused" in text
    assert "set tag" not in text


def test_gates_that_only_warn_are_counted_as_warnings():
    report = gate_report(
        gate_result(), gate_result(name="drift", required=False, verdict=Verdict.FAIL, figure=0.5)
    )

    assert tally(report) == "1 pass · 0 fail · 1 warn · 0 inconclusive"


def test_where_nothing_is_proven_the_screen_says_so_in_words():
    text = markdown(a_report(cases=judged_cases(challenger_error=0.5)), name="cheques")
    assert "| **Proven better** | on no slice |" in text
    worse = next(line for line in text.splitlines() if "**Proven worse**" in line)
    points = [float(found) for found in re.findall(r"([+-][\d.]+) points", worse)]
    assert points == sorted(points, reverse=True)
    unknown = markdown(a_report(cases=judged_cases(count=0), label_quality=None, golden=None), name="cheques")
    assert unknown.count("not known: too few labels in every slice") == 2


def test_a_gate_that_only_warns_is_drawn_as_a_warning():
    report = gate_report(
        gate_result(), gate_result(name="drift", required=False, verdict=Verdict.FAIL, figure=0.5)
    )
    assert '<td class="warn">warn</td>' in page(report, name="cheques").decode()
    assert [result.says for result in report.results] == ["pass", "warn"]


def test_no_label_or_slice_can_draw_a_tag_a_link_or_a_new_cell():
    cases = judged_cases(slices={ATTACK: np.array([ATTACK] * 600, dtype=object)})
    report = a_report(cases=cases)

    text = markdown(report, name=ATTACK, notes=NOTES)
    html = page(report, name=ATTACK, notes=NOTES).decode()

    assert "<script" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert "http://" not in text
    assert all(len(re.findall(r"(?<!\\)\|", line)) in (0, 3, 7) for line in text.splitlines())
    assert "<script" not in html
    assert 'href="' not in html


def test_the_page_stands_alone():
    html = page(a_report(), name="cheques", notes=NOTES).decode()

    assert not re.search(r"https?://", html)
    assert re.findall(r'(?:src|href)="(\w+:)', html) == ["data:"]
    assert "default-src 'none'" in html


def test_labels_in_any_script_are_drawn():
    cases = judged_cases(slices={"支店": np.array(["$x$ 東京\u202e"] * 600, dtype=object)})

    assert "東京" in page(a_report(cases=cases), name="小切手").decode()


def test_a_report_without_any_figure_still_reads():
    report = a_report(cases=judged_cases(count=0), label_quality=None, golden=None)

    assert "wait for more evidence" in markdown(report, name="cheques")
    assert b"<img" not in page(report, name="cheques")


def test_the_bytes_are_those_the_digest_names():
    report = a_report()

    assert "sha256:" + sha256_hex(json_bytes(report)) == report.digest
    assert json.loads(json_bytes(report))["verdict"] == "pass"


def test_the_same_report_gives_the_same_page():
    assert page(a_report(), name="cheques") == page(a_report(), name="cheques")
