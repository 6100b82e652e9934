"""`hitl init|up|down|doctor|demo`: everything before the first case, and when something does not work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hitl_mlops.cli import demo, init
from hitl_mlops.cli.output import (
    HERE,
    JsonOption,
    ProjectOption,
    add_command,
    answer,
    open_project,
    say,
    table,
    tell_progress,
    working,
)
from hitl_mlops.errors import HitlError, InputError

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.servers.check import Check
    from hitl_mlops.settings import Settings

WRONG, DOWN = 2, 3


def add_to(app: typer.Typer) -> None:
    """The commands are part of the command line."""
    add_command(app, "init", init.init, examples=init.EXAMPLES)
    add_command(app, "up", up, examples=["hitl up", "hitl up --only mlflow", "hitl up --show-passwords"])
    add_command(app, "down", down, examples=["hitl down"])
    add_command(app, "doctor", doctor, examples=["hitl doctor", "hitl doctor --json"])
    add_command(app, "demo", demo.demo, examples=demo.EXAMPLES)


def up(
    only: Annotated[
        list[str] | None, typer.Option(help="Only this server; may be given again.", metavar="SERVER")
    ] = None,
    show_passwords: Annotated[
        bool, typer.Option("--show-passwords", help="Print the passwords too.")
    ] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Start Label Studio, MLflow and Prefect. Says where they are and who may log in.

    A worker that runs the flows of prefect.yaml starts with them.

    A server that hitl.yaml names as yours is not started. Running ones are left alone; servers that crashed
    come up again on their port. The first start of Label Studio installs it.
    """
    from hitl_mlops.servers.stack import Stack
    from hitl_mlops.settings import read_settings

    settings = read_settings(project)
    yours = _yours(settings)
    _refuse_yours(only or [], yours)
    stack = Stack(settings.folder, prefect_api=yours.get("prefect"), tell=tell_progress)
    running = stack.up(only or [name for name in stack.names if name not in yours])
    logins = {
        "label-studio": _label_studio_login(settings.state, show_password=show_passwords),
        "mlflow": _mlflow_login(settings.state, show_passwords=show_passwords),
    }
    servers = [
        {"name": one.name, "url": one.url, "pid": one.pid}
        | ({"login": logins[one.name]} if one.name in logins else {})
        for one in running
    ]

    def told(console: Console) -> None:
        rows = [(one.name, one.url, _login(one.name, logins)) for one in running]
        rows += [(name, url, "yours, by hitl.yaml") for name, url in yours.items() if not only]
        table(console, ("server", "address", "log-in"), rows)
        say(console, "→ hitl train, or hitl down to end them")

    answer({"servers": servers, "yours": yours}, as_json=as_json, told=told)


def _yours(settings: Settings) -> dict[str, str]:
    """Server → address, of those that `hitl.yaml` names."""
    services = settings.services
    named = {
        "prefect": services.prefect and services.prefect.api,
        "mlflow": services.mlflow and services.mlflow.uri,
        "label-studio": services.label_studio and services.label_studio.url,
    }
    return {name: url for name, url in named.items() if url}


def _refuse_yours(only: Sequence[str], yours: dict[str, str]) -> None:
    for name in only:
        if name in yours:
            raise InputError(
                f"hitl.yaml says that {name} is yours, at {yours[name]}.",
                remedy="Start it yourself, or take its line out of the section services.",
            )


def _label_studio_login(state: Path, *, show_password: bool) -> dict[str, str]:
    from hitl_mlops.servers.credentials import read_or_make

    credentials = read_or_make(state)
    login = {"user": credentials.admin_email, "password_file": str(state / "credentials.json")}
    return {**login, "password": credentials.admin_password} if show_password else login


def _mlflow_login(state: Path, *, show_passwords: bool) -> dict[str, Any]:
    from hitl_mlops.servers.mlflow_accounts import accounts_file, read_accounts

    accounts = read_accounts(state)
    if accounts is None:
        return {}
    login: dict[str, Any] = {"users": list(accounts.passwords), "password_file": str(accounts_file(state))}
    return {**login, "passwords": dict(accounts.passwords)} if show_passwords else login


def _login(name: str, logins: dict[str, dict[str, Any]]) -> str:
    login = logins.get(name)
    if name == "worker":
        return "runs the flows; look at them in Prefect"
    if not login:
        return "none needed"
    if name == "mlflow":
        shown = login.get("passwords")
        people = ", ".join(f"{user} ({shown[user]})" if shown else user for user in login["users"])
        return people if shown else f"{people}; passwords in {login['password_file']}"
    password = login.get("password") or f"in {login['password_file']}"
    return f"{login['user']}, password {password}"


def down(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """End the servers that `hitl up` started. Nothing else is touched, and no data are lost."""
    from hitl_mlops.servers.stack import Stack

    with working("Ending the servers"):
        ended = Stack(_folder(project)).down()
    said = f"Ended: {', '.join(ended)}." if ended else "No server of this project was running."
    answer({"ended": ended}, as_json=as_json, told=lambda console: say(console, said))


def doctor(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Check everything a project needs. What is missing is named with its remedy.

    Exit code 0: all is well; 2: something must be changed; 3: only a server is down.
    """
    from hitl_mlops.own_files import utc_now
    from hitl_mlops.servers.check import SERVER, check_all

    folder = _folder(project)
    with working("Looking"):
        checks = [*_project_checks(project)]
        yours = _yours_or_none(project)
        found = check_all(folder, database=lambda: open_project(project).parts.database, now=utc_now())
        checks += [one for one in found if one.name not in {name + SERVER for name in yours}]
        checks += [_reach(name, url) for name, url in yours.items()]
        checks += _schedules(project, folder)
        checks += _webhook(project)
    wrong = [one for one in checks if not one.is_ok]

    def told(console: Console) -> None:
        table(
            console,
            ("", "looked at", "found"),
            [("ok" if one.is_ok else "NO", one.name, one.found) for one in checks],
        )
        for one in wrong:
            say(console, f"{one.name}: → {one.remedy}", style="yellow")
        say(
            console, "All is well." if not wrong else f"{len(wrong)} of {len(checks)} need you.", style="bold"
        )

    answer({"is_ok": not wrong, "checks": checks}, as_json=as_json, told=told)
    if wrong:
        raise typer.Exit(DOWN if all(one.name.endswith(SERVER) for one in wrong) else WRONG)


def _project_checks(path: Path) -> list[Check]:
    """Settings, policy, people, what is frozen and data, each read as a command reads it."""
    from hitl_mlops.routing.switches import frozen_by

    def parts() -> Any:
        return open_project(path).parts

    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("hitl.yaml", lambda: f"project {open_project(path).settings.project}"),
        ("policy.yaml", lambda: f"{len(parts().policy.routes)} routes"),
        ("functions", lambda: f"{len(parts().checks) or 'no'} functions of yours"),
        ("reviewers", lambda: _people(parts())),
        ("release managers", lambda: _release_managers(parts().settings)),
        ("switches", lambda: frozen_by(parts().switches.standing()) or "nothing is frozen"),
        ("data", lambda: f"{len(parts().base):,} rows, {len(parts().task.classes)} classes"),
        ("odd inputs", lambda: parts().odd_guard.told),
    )
    checks = [_check(name, look) for name, look in looks]
    return checks if checks[0].is_ok else checks[:1]


def _people(parts: Any) -> str:
    """How many may answer, and which skills nobody has."""
    from hitl_mlops.review.staffed import unstaffed

    facts = [one.fact for one in unstaffed(parts.policy, parts.roster)]
    many = len(parts.roster.people)
    return " ".join([f"{many} people listed.", *facts] if many else facts or ["no people listed"])


def _release_managers(settings: Settings) -> str:
    """Who may approve in MLflow and where their log-ins stand, or that anybody may."""
    from hitl_mlops.servers.mlflow_accounts import accounts_file, demand_people, has_people

    yours = settings.services.mlflow
    if yours.app_key is None if yours is not None else not has_people(settings.state):
        return "nobody is named: approvals are claimed"
    if yours is not None:
        return "named in your MLflow"
    named = demand_people(settings.state).groups.get("release-managers", ())
    managers = ", ".join(named) or "nobody, so that nothing is approved"
    return f"{managers}; log-ins in {accounts_file(settings.state)}"


def _check(name: str, look: Callable[[], str]) -> Check:
    from hitl_mlops.servers.check import Check

    try:
        return Check(name=name, is_ok=True, found=look())
    except HitlError as error:
        return Check(name=name, is_ok=False, found=error.fact, remedy=error.remedy)


def _schedules(path: Path, folder: Path) -> list[Check]:
    """Whether the flows' schedules plan runs; nothing where no flow is, or Prefect does not answer."""
    from hitl_mlops.own_files import utc_now
    from hitl_mlops.servers.check import Check
    from hitl_mlops.servers.schedules import NAME, look_at_schedules

    try:
        address = open_project(path).parts.prefect_address
    except HitlError:
        return []  # told by the checks of hitl.yaml and of the server
    try:
        found = look_at_schedules(folder, address, utc_now())
    except HitlError as error:
        return [Check(name=NAME, is_ok=False, found=error.fact, remedy=error.remedy)]
    if found is None:
        return []
    return [Check(name=NAME, is_ok=not found.remedy, found=found.found, remedy=found.remedy)]


def _webhook(path: Path) -> list[Check]:
    """Whom MLflow tells of approvals; nothing where it shares no secret with us, or does not say."""
    from hitl_mlops.servers.check import Check

    try:
        parts = open_project(path).parts
        found = parts.mlflow_webhooks.find() if parts.webhook_secret else None
    except HitlError:
        return []  # told by the checks of hitl.yaml and of the server; or only its administrator may look
    if found is None:
        return []
    called = [one.url for one in found if one.is_active]
    read = "read at the next look at a rollout; hitl serve has MLflow tell it at once"
    return [Check(name="approvals", is_ok=True, found=f"MLflow tells {called[0]}" if called else read)]


def _yours_or_none(path: Path) -> dict[str, str]:
    try:
        return _yours(open_project(path).settings)
    except HitlError:
        return {}


def _reach(server: str, url: str) -> Check:
    """Whether a server of the user's answers at all."""
    import httpx

    from hitl_mlops.servers.check import SERVER, Check

    name = server + SERVER
    if not url.startswith(("http://", "https://")):
        return Check(name=name, is_ok=True, found=f"yours, {url}, not a server")
    try:
        httpx.get(url, timeout=10)
    except httpx.HTTPError as error:
        why = f"yours, {url}, does not answer ({type(error).__name__})"
        return Check(
            name=name, is_ok=False, found=why, remedy=f"Start it, or correct services.{server} in hitl.yaml."
        )
    return Check(name=name, is_ok=True, found=f"yours, {url}, answers")


def _folder(project: Path) -> Path:
    return project.parent if project.is_file() else project
