from __future__ import annotations

import httpx
import pytest

from hitl_mlops.servers import label_studio as subject


@pytest.mark.real
def test_label_studio_takes_the_project_s_token_and_no_other(label_studio):
    assert subject.accepts(label_studio.url, label_studio.token)
    assert not subject.accepts(label_studio.url, "0" * 40)


@pytest.mark.real
def test_the_admin_can_log_in_by_the_form(label_studio):
    with httpx.Client(base_url=label_studio.url, trust_env=False) as browser:
        browser.get("/user/login/")
        browser.post(
            "/user/login/",
            data={
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
                "email": label_studio.admin_email,
                "password": label_studio.admin_password,
            },
        )
        assert browser.get("/api/current-user/whoami").json()["email"] == label_studio.admin_email
