"""The accounts of the MLflow that `hitl up` starts: passwords made once, in a file for its owner alone."""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from hitl_mlops.errors import ConfigurationError, ServiceDownError
from hitl_mlops.servers.mlflow_people import PEOPLE_FILE, People, people_text, read_people

ADMIN, PIPELINE, MANAGER = "admin", "pipeline", "release-manager"
FIRST_PEOPLE = People({"release-managers": (MANAGER,), "trainers": ("trainer",), "pipeline": (PIPELINE,)})
"""Who there is in a file that a program writes."""
KEY_FILE, PUBLIC_FILE = "app.pem", "app.pub"
_FILE = "accounts.json"
_OK = 200
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Accounts:
    """What logs in to one MLflow, and its server's own secrets.

    Attributes:
        passwords: account → password; `admin` is MLflow's administrator.
        session_key: signs MLflow's sessions.
        webhook_key: 32 bytes, base64: encrypts the secrets of webhooks in MLflow's database.
        webhook_secret: what MLflow signs its webhooks to us with.
    """

    passwords: Mapping[str, str] = field(repr=False)
    session_key: str = field(repr=False)
    webhook_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    def login(self, account: str) -> tuple[str, str]:
        """Account and password."""
        return account, self.passwords[account]


def accounts_file(state: Path) -> Path:
    """Where the passwords stand, in the project's `.hitl` folder."""
    return state / "mlflow" / _FILE


def public_key_file(state: Path) -> Path:
    """The public half of the key with which MLflow's app signs."""
    return state / "mlflow" / PUBLIC_FILE


def people_file(state: Path) -> Path:
    """Who may do what, beside `hitl.yaml`."""
    return state.parent / PEOPLE_FILE


def write_first_people(state: Path) -> None:
    """The project has a people file: `FIRST_PEOPLE`, unless one is there."""
    if not people_file(state).exists():
        people_file(state).write_text(people_text(FIRST_PEOPLE))


def has_people(state: Path) -> bool:
    """Whether the project says who may do what in its MLflow, which then runs behind the app."""
    return people_file(state).exists()


def demand_people(state: Path) -> People:
    """The people of the project's file.

    Raises:
        ConfigurationError: there is no file, it is wrong, or it names no pipeline.
    """
    path = people_file(state)
    people = read_people(path)
    if not people.groups.get(PIPELINE):
        raise ConfigurationError(
            f"{path} names no account for the pipeline, which this project works under.",
            remedy=f"Add the line: pipeline: [{PIPELINE}]",
        )
    return people


def read_or_make(state: Path, names: Iterable[str]) -> Accounts:
    """The accounts in `state/mlflow/accounts.json` (mode 0600), with a password for each of the names too.

    Raises:
        ConfigurationError: the file is there and cannot be read.
    """
    known = read_accounts(state)
    before = known or Accounts({}, secrets.token_urlsafe(48), _fernet_key(), secrets.token_urlsafe(32))
    wanted = [name for name in (ADMIN, *names) if name not in before.passwords]
    if known is not None and not wanted:
        return known
    made = {name: secrets.token_urlsafe(12) for name in wanted}
    accounts = Accounts(
        {**before.passwords, **made}, before.session_key, before.webhook_key, before.webhook_secret
    )
    _write(accounts_file(state), accounts)
    return accounts


def read_accounts(state: Path) -> Accounts | None:
    """The accounts that `read_or_make` made; None where there are none yet.

    Raises:
        ConfigurationError: the file cannot be read as accounts.
    """
    path = accounts_file(state)
    try:
        return Accounts(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, OSError) as exc:
        raise ConfigurationError(
            f"{path} does not hold the accounts of this project's MLflow any more.",
            remedy="Restore it from a backup, or remove its folder and begin anew (its data is lost).",
            path=str(path),
        ) from exc


def pipeline_login(state: Path) -> tuple[str, str] | None:
    """Account and password under which the project works in its own MLflow; None before `hitl up`."""
    accounts = read_accounts(state) if has_people(state) else None
    if accounts is None:
        return None
    name = read_people(people_file(state)).groups[PIPELINE][0]
    return accounts.login(name)


def release_manager_login(state: Path) -> tuple[str, str]:
    """Account and password of the first release manager that `hitl up` made.

    Raises:
        ConfigurationError: the people file names none.
    """
    people = demand_people(state)
    named = people.groups.get("release-managers", ())
    if not named:
        raise ConfigurationError(
            f"{people_file(state)} names no release manager.",
            remedy=f"Add the line: release-managers: [{MANAGER}]",
        )
    return read_or_make(state, people.accounts).login(named[0])


def sign_up(url: str, accounts: Accounts) -> None:
    """MLflow knows every account; those it knew keep their passwords.

    Raises:
        ServiceDownError: MLflow does not answer, or refused one.
    """
    with httpx.Client(
        base_url=url, auth=accounts.login(ADMIN), timeout=_PATIENCE_S, trust_env=False
    ) as client:
        known = _known(client)
        for name in (one for one in accounts.passwords if one not in known):
            body = {"username": name, "password": accounts.passwords[name]}
            reply = client.post("/api/2.0/mlflow/users/create", json=body)
            if reply.status_code != _OK and "ALREADY_EXISTS" not in reply.text:
                raise _not_signed_up(url, f"it answered {reply.status_code} for {name}")


def _known(client: httpx.Client) -> set[str]:
    reply = client.get("/api/2.0/mlflow/users/list")
    if reply.status_code != _OK:
        raise _not_signed_up(str(client.base_url), f"it answered {reply.status_code}")
    return {str(one["username"]) for one in reply.json()["users"]}


def _not_signed_up(url: str, why: str) -> ServiceDownError:
    return ServiceDownError(
        f"MLflow at {url} did not take its accounts: {why}.",
        remedy="If its administrator's password was changed, write it into .hitl/mlflow/accounts.json.",
    )


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _write(path: Path, accounts: Accounts) -> None:
    """The file is replaced whole; its mode is 0600 from the first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".accounts-")
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(accounts), file, indent=2)
    Path(name).replace(path)
