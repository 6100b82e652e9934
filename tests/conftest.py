"""What every test may ask for: real servers, and which side of a contract is run (`--against`)."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres, servers

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes is a fact about the machine

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a job in the background: what we start must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--against",
        choices=("twin", "real", "both"),
        default="both",
        help="run contracts against the in-memory twins, the real servers, or both (default)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`twin` leaves out what is marked real; `real` leaves out everything else. Left out is not passed."""
    against = config.getoption("--against")
    if against == "both":
        return
    wanted = [item for item in items if (item.get_closest_marker("real") is not None) == (against == "real")]
    chosen = set(wanted)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = wanted


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.LabelStudio]:
    with servers.label_studio_server(tmp_path_factory.mktemp("label-studio")) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Mlflow]:
    with servers.mlflow_server(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.MlflowApp]:
    with servers.mlflow_app_server(tmp_path_factory.mktemp("mlflow-app")) as server:
        yield server


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Prefect]:
    with servers.prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.postgres_server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty database for each test."""
    with postgres.fresh_database(postgres_server) as url:
        yield url
