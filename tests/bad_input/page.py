"""The page docs/reference/bad-input.md, made of the classes: `python -m tests.bad_input.page` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.bad_input.cells import CELLS, BadCell, End
from tests.bad_input.wholes import WHOLES, BadWhole

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bad-input.md"
SUFFIXES = (".csv", ".jsonl", ".parquet")
ROW_OR_ALL = {End.ROW: "row refused", End.WHOLE: "refused", End.TAKEN: "taken", End.NONE: "—"}
ABOUT = f"""\
# Bad input

<!-- Made by tests/bad_input/page.py: change the classes there, not this page. -->

{len(CELLS) + len(WHOLES)} kinds of bad input are sent through three doors by the tests: the service
(`POST /v1/decisions`), a file of cases (`hitl decide FILE`) and `policy.yaml`. The answer comes soon,
says what is wrong and what to do, and is no server error; what is refused decides nothing.

- **row refused**: that case goes to the data's owners with its reasons, the others are decided. With
  `strict` or `--strict` it refuses them all: 422 or exit code 2, and nothing is kept.
- **refused**: all of it; nothing is kept. The service answers 422 unless the table says otherwise; a file
  is told with its line where it has one, the policy always.
- **taken**: it looks dangerous and is text. It is kept as it came and shown as text.

Beyond this table are tried: cases with several bad values at once; a bad value at every key of a policy;
policies with slips of the hand; requests made from our own OpenAPI and from its contrary (schemathesis);
bodies without end, too slow or packed; odd tokens, headers, ids, waits and idempotency keys. The run's
last lines count what was tried:

```sh
HITL_BAD_INPUT_SEED=7 .venv/bin/pytest --against twin tests/bad_input   # another seed
```
"""
LIMITS = """\
## Limits

| what | at most |
|---|---|
| body of a request of cases | 5,000,000 bytes, there within 30 s, not packed |
| cases in a request | 1,000 |
| body of halt, reverse, outcome, complaint, callback | 50,000 bytes |
| a text in a case; an id | 100,000 signs; 200 signs |
| `policy.yaml`, `hitl.yaml`, `reviewers.yaml` | 262,144 signs, 20,000 values, 50 levels |
| a text in one of these | 10,000 signs |
"""


def of_cell(cell: BadCell) -> str:
    """The row of a bad value."""
    usual = ROW_OR_ALL[cell.file]
    others = [
        f"{ROW_OR_ALL[cell.at_file(suffix)]} in `{suffix}`"
        for suffix in SUFFIXES
        if cell.at_file(suffix) is not cell.file
    ]
    in_policy = "refused" if cell.policy is End.WHOLE else "taken"
    return f"| {cell.name} | {ROW_OR_ALL[cell.http]} | {'; '.join([usual, *others])} | {in_policy} |"


def of_whole(whole: BadWhole) -> str:
    """The row of what is bad as a whole."""
    at_service = "—" if whole.http is None else f"{whole.status}"
    in_file = ", ".join(f"`{suffix}`" for suffix in whole.files)
    in_policy = "—" if whole.policy is None else "refused"
    return f"| {whole.name} | {at_service} | {f'refused: {in_file}' if in_file else '—'} | {in_policy} |"


def page() -> str:
    """The whole page."""
    head = "| class | service | file | policy |\n|---|---|---|---|\n"
    cells, wholes = "\n".join(map(of_cell, CELLS)), "\n".join(map(of_whole, WHOLES))
    return f"{ABOUT}\n## One bad value\n\n{head}{cells}\n\n## All of it bad\n\n{head}{wholes}\n\n{LIMITS}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
