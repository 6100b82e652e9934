"""Under which account MLflow is asked. MLflow's client takes it from the environment only."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


@dataclass(frozen=True, slots=True)
class Login:
    """An account of MLflow.

    Attributes:
        account: its name.
        password: its password.
    """

    account: str
    password: str = field(repr=False)


class _Environment:
    """What stood in the environment before we wrote there."""

    def __init__(self) -> None:
        self.written: Login | None = None
        self.before: Login | None = None


_environment = _Environment()


def own_login() -> Login | None:
    """The account that the user put into the environment; None where there is none."""
    account, password = (os.environ.get(name) for name in VARIABLES)
    found = Login(account, password) if account and password else None
    ours_stands = _environment.written is not None and found == _environment.written
    return _environment.before if ours_stands else found


def log_in(login: Login | None) -> None:
    """MLflow's client asks under this account from now on; None: under the user's own."""
    own = own_login()
    _environment.before, _environment.written = own, login
    wanted = login or own
    for name, value in zip(
        VARIABLES, (wanted.account, wanted.password) if wanted else (None, None), strict=True
    ):
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
