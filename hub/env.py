"""Read the environment once, with a clear message when a value is wrong. Only settings.py calls these."""

from __future__ import annotations

import errno
import ipaddress
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub.lib.numbers import whole

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingError(SystemExit):
    """A setting is missing or wrong: the start stops and says what to set."""

    def __init__(self, name: str, problem: str, fix: str) -> None:
        super().__init__(f"covey: {name} {problem}. {fix}")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise SettingError(name, f"is {value!r}", "Set it to 1 or 0.")


def integer(name: str, default: int, minimum: int = 0) -> int:
    value = text(name)
    if not value:
        return default
    number = whole(value, least=minimum)
    if number is None:
        raise SettingError(name, f"is {value!r}", f"Set it to a whole number of at least {minimum}.")
    return number


def words(name: str) -> list[str]:
    return [word.strip() for word in text(name).split(",") if word.strip()]


def origin(name: str, default: str) -> str:
    """scheme://host[:port], without a path or a slash at the end."""
    value = text(name, default).rstrip("/")
    try:
        parts = urlsplit(value)
        good = (
            parts.scheme in {"http", "https"} and parts.hostname and not (parts.path or parts.query or parts.username)
        )
        good = good and parts.port != 0  # .port raises ValueError when it is no number
    except ValueError:
        good = False
    if value and not good:
        raise SettingError(name, f"is {value!r}", "Set it to scheme://host[:port] without a path.")
    return value


def scheme(name: str, value: str, allowed: set[str]) -> None:
    if value and urlsplit(value).scheme not in allowed:
        raise SettingError(name, "names another kind of server", f"Begin it with {', '.join(sorted(allowed))}://.")


def sqlite_file(name: str, value: str) -> None:
    """Its whole path: a relative one is another file to each command that is started in another folder."""
    if not value.startswith("sqlite"):
        return
    path = value.removeprefix("sqlite:///")
    if path == value or not path or path.startswith(":"):
        raise SettingError(name, f"is {value!r}, which names no file", "Write sqlite:////WHOLE/PATH.")
    if not path.startswith("/"):
        raise SettingError(name, f"is {value!r}, a relative path", f"Write sqlite:///{Path(path).absolute()}.")


def database(name: str, value: str) -> Any:
    """Django's description of a database URL."""
    import dj_database_url

    try:
        return dj_database_url.parse(value)
    except ValueError:
        raise SettingError(name, "is not a database address", "Use postgres://user:password@host/name.") from None


def networks(name: str) -> list[str]:
    """Addresses or CIDR networks: "10.0.0.0/8, 192.168.1.7"."""
    return [str(_network(name, word)) for word in words(name)]


def endpoints(name: str) -> list[tuple[Network, int]]:
    """Networks with one port each: "10.1.0.0/16:443, [fd00::]/8:8080"."""
    found = []
    for word in words(name):
        network, colon, port = word.rpartition(":")
        number = whole(port, least=1, most=65535)
        if not colon or number is None:
            raise SettingError(name, f"holds {word!r}", "Write CIDR:port, e.g. 10.1.0.0/16:443.")
        found.append((_network(name, network.replace("[", "").replace("]", "")), number))
    return found


def _network(name: str, word: str) -> Network:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        raise SettingError(name, f"holds {word!r}", "Write addresses or networks, e.g. 10.1.0.0/16.") from None


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def home(path: Path) -> Path:
    """The folder that holds everything; closed to others even when somebody else made it."""
    try:
        private_folder(path)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it is somebody else's, or cannot be written to")
    except OSError as error:
        raise SettingError("COVEY_HOME", f"{path}: {error.strerror}", "Name a folder this user may write to.") from None
    return path


def note(path: Path) -> str:
    """What an earlier start wrote here; "" when none did."""
    return path.read_text().strip() if path.exists() else ""


def secret_file(path: Path) -> str:
    """The secret kept in this file; made with mode 0600 on first use, safely when two processes start at once."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # whole or not at all, and never over another's
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
