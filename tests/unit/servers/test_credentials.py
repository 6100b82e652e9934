from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.servers.credentials import read_or_make


def test_credentials_are_made_once_and_kept_for_their_owner_only(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        seen = set(threads.map(lambda _: read_or_make(tmp_path / ".hitl"), range(16)))
    assert len(seen) == 1
    files = list((tmp_path / ".hitl").iterdir())
    assert [one.name for one in files] == ["credentials.json"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_two_projects_share_no_secret(tmp_path):
    one, other = read_or_make(tmp_path / "a"), read_or_make(tmp_path / "b")
    assert one.label_studio_token != other.label_studio_token
    assert one.admin_password != other.admin_password
    assert one.label_studio_secret_key != other.label_studio_secret_key


def test_secrets_are_not_shown(tmp_path):
    made = read_or_make(tmp_path)
    for secret in (made.admin_password, made.label_studio_token, made.label_studio_secret_key):
        assert secret not in repr(made)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"admin_email": "a"}'])
def test_a_damaged_file_is_told_and_not_replaced(tmp_path, content):
    path = tmp_path / "credentials.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"credentials\.json"):
        read_or_make(tmp_path)
    assert path.read_text() == content
