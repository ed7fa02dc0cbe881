"""A start that cannot be, by the real command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, free_port
from tests.e2e.conftest import ROOT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEXWAVE_USER_RUNNING", "-1"),
        ("HEXWAVE_PUBLIC_URL", "https://hexwave.example"),
        ("HEXWAVE_PROVIDER", "fal"),
        ("MONGODB_URI", "mongodb://u:se/cret@localhost"),
        ("REDIS_URL", "redis://127.0.0.1:port/0"),
        ("HEXWAVE_WORKERS", "2"),
    ],
)
def test_a_setting_that_cannot_work_is_one_line(tmp_path: Path, name: str, value: str) -> None:
    """Whether it is found while settings are read or while what they name is opened; no stack trace."""
    answer = subprocess.run(
        [sys.executable, ROOT / "dev.py", "run", "--port", str(free_port())],
        env=os.environ | {"HEXWAVE_DATA_DIR": str(tmp_path), name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith((f"{name} cannot ", "HEXWAVE_SECRET_KEY cannot "))
    assert "cret@" not in line
    assert "Traceback" not in answer.stdout
