"""The commands in the order of a day's work, under headings, on the first page of help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Begin": ("init", "up", "down", "doctor", "demo"),
    "Decide and review": (
        "policy",
        "decide",
        "decision",
        "serve",
        "token",
        "callback",
        "review",
        "collect",
        "quarantine",
        "oversight",
        "guideline",
    ),
    "Learn": ("dataset", "train", "retrain"),
    "Judge and release": ("gate", "approve", "webhook", "rollout", "trial"),
    "Stop": ("freeze", "unfreeze", "switches", "breakers"),
    "Watch and prove": ("kpis", "drift", "drill", "audit"),
}


class Sections(TyperGroup):
    """A group of commands with headings; what stands under none comes last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of `SECTIONS`."""
        known = [name for names in SECTIONS.values() for name in names]
        own = super().list_commands(ctx)
        return [name for name in known if name in own] + [name for name in own if name not in known]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One block for each heading, each command with the first sentence of its help."""
        left = self.list_commands(ctx)
        width = max(map(len, left), default=0)
        for heading, names in {**SECTIONS, "More": tuple(left)}.items():
            shown = [name for name in names if name in left]
            left = [name for name in left if name not in shown]
            if shown:
                limit = formatter.width - 6 - width
                with formatter.section(heading):
                    formatter.write_dl([(name.ljust(width), self._about(ctx, name, limit)) for name in shown])

    def _about(self, ctx: Any, name: str, limit: int) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(limit) if command is not None else ""
