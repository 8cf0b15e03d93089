"""The `covey` command. Each subcommand imports what it needs, so that `covey up` itself stays small."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hub.env import SettingError
from hub.lib.errors import HubError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 2 when the input or a setting is wrong, with one line that says so."""
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except SettingError as error:
        return complain(str(error))
    except HubError as error:
        return complain(f"covey: {error.message} {error.details}".rstrip())


def complain(line: str) -> int:
    print(line, file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="covey", description="The self-hosted hub for machine-learning teams.")
    commands = root.add_subparsers(metavar="COMMAND", required=True)

    up = commands.add_parser("up", help="run the whole hub in the foreground")
    up.add_argument("--demo", action="store_true", help="seed the demo repository on the first start")
    up.set_defaults(run=run_up)

    serve = commands.add_parser("serve", help="run the web process alone")
    serve.add_argument("--descriptor", type=int, help=argparse.SUPPRESS)
    serve.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    serve.set_defaults(run=run_serve)

    commands.add_parser("worker", help="run background tasks").set_defaults(run=run_worker)
    commands.add_parser("beat", help="send the periodic tasks (one per hub)").set_defaults(run=run_beat)
    return root


def run_up(arguments: argparse.Namespace) -> int:
    from hub import supervisor

    return supervisor.up(demo=arguments.demo)


def run_serve(arguments: argparse.Namespace) -> int:
    from hub import server, supervisor

    supervisor.follow_supervisor()
    return server.serve(descriptor=arguments.descriptor, first=arguments.first)


def run_worker(arguments: argparse.Namespace) -> int:
    from hub import supervisor, worker

    supervisor.follow_supervisor()
    return worker.worker()


def run_beat(arguments: argparse.Namespace) -> int:
    from hub import supervisor, worker

    supervisor.follow_supervisor()
    return worker.beat()


if __name__ == "__main__":
    sys.exit(main())
