"""The demo: how long every step takes, warm and from a bare clone.

Run from the repository: python benchmarks/demo.py [--quick] [--json]

Warm is the second of two runs of `hitl demo`. Cold is `git clone` and `make demo` with empty caches: all
parts are fetched from the package index. --quick leaves it out. The whole run has no peer to stand beside.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
TIMES = Path("demo-project", ".hitl", "demo-steps.json")


def timed(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> float:
    """Wall time of the command, in seconds; a command that fails ends the benchmark."""
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - began


def run_demo(folder: Path) -> tuple[float, dict[str, Any]]:
    """Wall time of one `hitl demo`, and what it says of its steps."""
    seconds = timed([str(Path(sys.executable).with_name("hitl")), "demo"], folder)
    return seconds, json.loads((folder / TIMES).read_text())


def run_cold(folder: Path) -> tuple[float, float]:
    """Wall time of cloning and of `make demo` in the clone, with empty caches."""
    caches = {
        "UV_CACHE_DIR": str(folder / "uv"),
        "PIP_CACHE_DIR": str(folder / "pip"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    cloned = timed(["git", "clone", "-q", str(ROOT), "clone"], folder)
    return cloned, timed(["make", "demo"], folder / "clone", caches)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one warm run, no cold one")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not given.quick:
            cloned, made = run_cold(folder)
            figures |= {"cold_s": round(cloned + made, 1)}
            run_demo(folder)  # the first run here warms the page cache
        warm, told = run_demo(folder)
    figures |= {"warm_s": round(warm, 1)}
    for step in told["steps"]:
        name = "step_" + "".join(one if one.isalnum() else "_" for one in step["step"]) + "_s"
        figures[name] = round(figures.get(name, 0.0) + step["seconds"], 1)
    show(told["steps"], figures)
    if given.json:
        print(json.dumps(figures))


def show(steps: list[dict[str, Any]], figures: dict[str, float]) -> None:
    """Every step of the warm run with its seconds, and both totals."""
    table = Table("step", "seconds", title=f"hitl demo on {os.cpu_count()} cores")
    for step in steps:
        table.add_row(step["step"], f"{step['seconds']:.1f}")
    table.add_section()
    table.add_row("warm, wall", f"{figures['warm_s']:.1f}")
    if "cold_s" in figures:
        table.add_row("cold: clone and make demo, wall", f"{figures['cold_s']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
