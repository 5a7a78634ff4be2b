"""`windtunnel experiment --scheduler`: the same numbers from a Dask cluster, and what is said when there is none."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.clustering import crew_of
from app.settings import SettingsError, load_settings
from tests.app.test_experiment_command import NETWORK
from tests.children import free_port
from tests.dask_servers import dask_cluster, patient
from windtunnel.experiments.cluster_crew import ClusterCrew
from windtunnel.experiments.crew import Crew


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    patient(monkeypatch)


@pytest.fixture
def network(tmp_path: Path) -> str:
    path = tmp_path / "network.json"
    path.write_text(json.dumps(NETWORK))
    return str(path)


def run(network: str, *more: str, **settings: str) -> Result:
    small = ("--replications", "10", "--tasks", "60", "--arrival-rate", "5", "--seed", "3", "--json")
    return CliRunner().invoke(cli, ["experiment", "--network", network, *small, *more], env=settings)


def numbers(result: Result) -> str:
    assert result.exit_code == 0
    answer: dict[str, Any] = json.loads(result.stdout)
    assert answer.pop("elapsed_s") > 0
    return json.dumps(answer)


def test_a_cluster_gives_the_same_numbers(network: str) -> None:
    expected = numbers(run(network))
    with dask_cluster(1) as (scheduler, _):
        for result in (
            run(network, "--scheduler", scheduler.address),
            run(network, WINDTUNNEL_DASK_SCHEDULER=scheduler.address),
        ):
            assert result.stderr == ""
            assert numbers(result) == expected


def test_without_a_scheduler_it_says_so_and_goes_on(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.experiments.cluster.CONNECT_S", 0.3)
    address = f"tcp://127.0.0.1:{free_port()}"
    result = run(network, "--scheduler", address)
    assert numbers(result) == numbers(run(network))
    assert result.stderr.count("\n") == 1
    assert f"No Dask scheduler answers at {address}" in result.stderr
    assert "is done here" in result.stderr


def test_without_the_extra_it_says_what_to_install(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run(network, "--scheduler", "tcp://127.0.0.1:8786")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "windtunnel[cluster]" in result.stderr
    with pytest.raises(SettingsError, match=r"windtunnel\[cluster\]"):
        crew_of(load_settings(dask_scheduler="tcp://127.0.0.1:8786"))


def test_settings_choose_the_crew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(crew_of(load_settings())) is Crew
    monkeypatch.setenv("WINDTUNNEL_DASK_SCHEDULER", "tls://scheduler:8786")
    assert isinstance(crew_of(load_settings()), ClusterCrew)


@pytest.mark.parametrize(
    "address", ["scheduler:8786", "tcp://scheduler", "http://scheduler:1", "tcp://a:1/x", "tcp://a:0"]
)
def test_an_address_that_is_none_is_refused(network: str, address: str) -> None:
    result = run(network, "--scheduler", address)
    assert isinstance(result.exception, SettingsError)
    assert str(result.exception).startswith(f"--scheduler '{address}' is refused; allowed: tcp://HOST:PORT")
