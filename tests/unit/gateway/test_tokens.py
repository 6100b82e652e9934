"""Tokens: shown once, kept as hashes, refused from the moment they are dropped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hitl_mlops.errors import ConfigurationError, CredentialsError, InputError, NotFoundError, RefusedError
from hitl_mlops.gateway.tokens import FILE, Scope, TokenFile

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_a_token_is_known_by_its_hash_and_for_its_scopes_only(tmp_path):
    tokens = TokenFile(tmp_path)
    secret = tokens.make("webshop", [Scope.DECIDE], NOW)
    assert tokens.holder(secret, Scope.DECIDE) == "webshop"
    assert secret not in (tmp_path / FILE).read_text()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    with pytest.raises(CredentialsError) as refused:
        tokens.holder(secret, Scope.READ)
    assert refused.value.data["status"] == 403


@pytest.mark.parametrize("secret", [None, "", "hitl_wrong", "\udcff"])
def test_whoever_has_no_token_is_refused(tmp_path, secret):
    tokens = TokenFile(tmp_path)
    tokens.make("webshop", [Scope.DECIDE], NOW)
    with pytest.raises(CredentialsError) as refused:
        tokens.holder(secret, Scope.DECIDE)
    assert refused.value.data["status"] == 401


def test_a_token_dropped_by_another_process_is_refused_at_once(tmp_path):
    serving, shell = TokenFile(tmp_path), TokenFile(tmp_path)
    secret = shell.make("webshop", [Scope.DECIDE], NOW)
    assert serving.holder(secret, Scope.DECIDE)
    shell.drop("webshop")
    with pytest.raises(CredentialsError):
        serving.holder(secret, Scope.DECIDE)
    with pytest.raises(NotFoundError):
        shell.drop("webshop")


def test_mistakes_are_told(tmp_path):
    tokens = TokenFile(tmp_path)
    tokens.make("webshop", [Scope.DECIDE], NOW)
    with pytest.raises(RefusedError, match="already"):
        tokens.make("webshop", [Scope.READ], NOW)
    with pytest.raises(InputError):
        tokens.make(" ", [Scope.READ], NOW)
    with pytest.raises(InputError):
        tokens.make("other", [], NOW)
    (tmp_path / FILE).write_text('[{"name": 1}]')
    with pytest.raises(ConfigurationError, match="damaged"):
        TokenFile(tmp_path).all()
