from __future__ import annotations

import httpx
import psycopg
import pytest


@pytest.mark.real
def test_mlflow_answers_its_api(mlflow_server):
    reply = httpx.post(
        f"{mlflow_server.url}/api/2.0/mlflow/experiments/search", json={"max_results": 500}, trust_env=False
    )
    assert "Default" in [one["name"] for one in reply.json()["experiments"]]


@pytest.mark.real
def test_the_pages_of_prefect_ask_their_own_server(prefect_server):
    settings = httpx.get(f"{prefect_server.api_url.removesuffix('/api')}/ui-settings").json()
    assert settings["api_url"] == prefect_server.api_url


def test_prefect_answers_its_api_and_keeps_analytics_off(prefect_server):
    assert httpx.get(f"{prefect_server.api_url}/health", trust_env=False).json() is True
    settings = httpx.get(f"{prefect_server.api_url}/admin/settings", trust_env=False).json()
    assert settings["server"]["analytics_enabled"] is False


@pytest.mark.real
@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_database(postgres_url, turn):
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE only_here (turn int)")
        connection.execute("INSERT INTO only_here VALUES (%s)", (turn,))
        assert connection.execute("SELECT count(*) FROM only_here").fetchone() == (1,)
