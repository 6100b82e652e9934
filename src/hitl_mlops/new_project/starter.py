"""What every new project gets as its own: the flows and their schedule."""

from __future__ import annotations

from pathlib import Path

import hitl_mlops
from hitl_mlops.errors import ConfigurationError

_TOLD_BY = "hitl.project.{}"
_WRITTEN_FOR = "cheques"  # the demo's project, which prefect.yaml names as it lies here
_PACKAGE = Path(hitl_mlops.__file__).resolve().parent


def starter_files(package: Path = _PACKAGE, *, project: str = _WRITTEN_FOR) -> dict[str, bytes]:
    """Path inside a project → content, of the flows and of a `prefect.yaml` that heeds the project's drift.

    They lie in the installed package, or in the checkout that the package is installed from.

    Raises:
        ConfigurationError: the flows are in neither place.
    """
    folder = _folder(package)
    files = {f"flows/{file.name}": file.read_bytes() for file in sorted((folder / "flows").glob("*.py"))}
    deployments = (folder / "prefect.yaml").read_text()
    ours = deployments.replace(_TOLD_BY.format(_WRITTEN_FOR), _TOLD_BY.format(project))
    return {**files, "prefect.yaml": ours.encode()}


def _folder(package: Path) -> Path:
    for folder in (package / "starter", *package.parents[1:2]):
        if (folder / "flows").is_dir() and (folder / "prefect.yaml").is_file():
            return folder
    raise ConfigurationError(
        f"The flows that a project starts from are not in {package / 'starter'}.",
        remedy="Install hitl-mlops again: pip install --force-reinstall hitl-mlops",
    )
