"""The compose file: valid by the specification, every secret demanded, nobody root, everybody watched."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]


def test_it_follows_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_every_part() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "postgres", "redis", "seaweedfs"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_container_runs_as_root_and_each_is_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert "healthcheck" in service or name == "web"  # the image's own asks /healthz
    assert not service.get("privileged")


def test_only_the_web_is_reached_from_outside_and_only_by_the_host() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_every_secret_is_demanded() -> None:
    for name, rest in re.findall(r"\$\{([A-Z0-9_]+)(:[-?])?", TEXT):
        assert rest == (":-" if name in {"COVEY_PROXIES", "EMAIL_URL"} else ":?"), name
    example = (ROOT / ".env.example").read_text()
    for name in set(re.findall(r"\$\{([A-Z0-9_]+)", TEXT)):
        assert re.search(rf"^{name}=", example, re.MULTILINE), name


def test_its_settings_are_settings() -> None:
    table = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert set(SERVICES["web"]["environment"]) <= table


def test_the_image_drops_root_and_checks_its_health() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER covey" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert lines.index("USER covey") < next(n for n, line in enumerate(lines) if line.startswith("CMD"))
