"""The `covey` command. Each subcommand imports what it needs, so that `covey up` itself stays small."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hub.env import SettingError
from hub.lib.errors import HubError, Invalid

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}  # what no traceback explains


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 2 when the input or a setting is wrong, with one line that says so."""
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and words[0].startswith("rebuild-"):
            return run_management(words[0].replace("-", "_"), words[1:])
        arguments = parser().parse_args(words)
        return int(arguments.run(arguments))
    except SettingError as error:
        return complain(str(error))
    except HubError as error:
        return complain(f"covey: {error.message} {error.details}".rstrip())
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        told = failure(error)
        if not told:
            raise
        return complain(f"covey: {told}")


def failure(error: Exception) -> str:
    """What is away, full or another's, and what it said; "" for a fault of ours, whose traceback is wanted."""
    if isinstance(error, OSError) and error.errno in DISK:
        return f"{error.filename or 'COVEY_HOME'}: {error.strerror}. Make room, or mend its rights."
    from django.apps import apps

    if not apps.ready:
        return ""
    from hub.lib.failures import as_expected

    found = as_expected(error)
    return f"{found.message} {found.details} ({' '.join(str(error).split())[:300]})" if found else ""


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
    commands.add_parser("doctor", help="check every part the hub stands on").set_defaults(run=run_doctor)
    backup = commands.add_parser("backup", help="copy git, objects and databases to one archive")
    backup.add_argument("file", metavar="FILE", type=Path)
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser("restore", help="make the hub what an archive says")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.set_defaults(run=run_restore)
    garbage = commands.add_parser("garbage", help="list the data of a repository that no ref leads to")
    garbage.add_argument("repository", metavar="OWNER/NAME")
    garbage.add_argument("--remove", action="store_true", help="remove what is listed")
    garbage.set_defaults(run=run_garbage)
    demo = commands.add_parser("demo", help="make the demo repository demo/bird-counter")
    demo.add_argument("--once", action="store_true", help="only when it was never made before")
    demo.set_defaults(run=run_demo)
    add_admin(commands.add_parser("admin", help="people, tokens and paths, from the console"))
    commands.add_parser("rebuild-X", help="make an index again from git and the stores (manage.py rebuild_x)")
    return root


def add_admin(admin: argparse.ArgumentParser) -> None:
    commands = admin.add_subparsers(metavar="COMMAND", required=True)

    user = commands.add_parser("create-user", help="create a person")
    user.add_argument("name")
    user.add_argument("--email", required=True)
    user.add_argument("--admin", action="store_true", help="may administer the hub")
    user.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    user.set_defaults(run=run_create_user)

    token = commands.add_parser("create-token", help="print a new access token, alone on standard output")
    token.add_argument("name", help="whose token it is")
    token.add_argument("--name", dest="label", required=True, metavar="LABEL", help="what it is for")
    token.add_argument("--scopes", metavar="repo:write,data:read,…", help="default: write in every area")
    token.add_argument("--repository", metavar="OWNER/NAME", help="bind it to one repository")
    token.add_argument("--expires", type=int, metavar="DAYS", help="default: 90")
    token.set_defaults(run=run_create_token)

    for word, active, what in (
        ("deactivate", False, "let a person in no more"),
        ("reactivate", True, "let them in again"),
    ):
        act = commands.add_parser(word, help=f"{what}; nothing of theirs is removed")
        act.add_argument("name")
        act.set_defaults(run=run_set_active, active=active)

    link = commands.add_parser("sign-in-link", help="print a link that signs a person in once")
    link.add_argument("name")
    link.set_defaults(run=run_sign_in_link)

    limit = commands.add_parser("set-data-limit", help="how much data a repository may keep")
    limit.add_argument("repository", metavar="OWNER/NAME")
    limit.add_argument("limit", metavar="BYTES", help="0: no limit; default: as the hub's setting says")
    limit.set_defaults(run=run_set_data_limit)

    path = commands.add_parser("repo-path", help="print the bare directory of a repository")
    path.add_argument("repository", metavar="OWNER/NAME")
    path.set_defaults(run=run_repo_path)


def run_up(arguments: argparse.Namespace) -> int:
    from hub import supervisor

    return supervisor.up(demo=arguments.demo)


def run_demo(arguments: argparse.Namespace) -> int:
    from hub import supervisor

    supervisor.follow_supervisor()
    return run_management("demo", ["--once"] if arguments.once else [])


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


def run_doctor(arguments: argparse.Namespace) -> int:
    """1 when something is wrong."""
    import django

    django.setup(set_prefix=False)
    from hub import doctor

    findings = doctor.examine()
    for finding in findings:
        print(f"{'FAIL' if finding.fix else 'ok':<5}{finding.part:<10}{finding.text}")
        if finding.fix:
            print(f"{'':<15}fix: {finding.fix}")
    return int(any(finding.fix for finding in findings))


def run_backup(arguments: argparse.Namespace) -> int:
    start_django()
    from hub import backup

    written = backup.write(arguments.file.absolute())
    print(f"Wrote {written} ({written.stat().st_size:,} bytes). It holds secrets.", file=sys.stderr)
    return 0


def run_garbage(arguments: argparse.Namespace) -> int:
    return run_management("garbage", [arguments.repository, *(["--remove"] if arguments.remove else [])])


def run_restore(arguments: argparse.Namespace) -> int:
    import django

    django.setup(set_prefix=False)
    from hub import prepare, restore

    prepare.require_database()
    prepare.prepare()  # a fresh hub has no tables yet
    kept = restore.read(arguments.file.absolute())
    print("Restored. Restart the hub, so that nothing old is remembered.", file=sys.stderr)
    for place in kept:
        print(f"What was there before is in {place}; delete it when you are sure.", file=sys.stderr)
    return 0


def run_create_user(arguments: argparse.Namespace) -> int:
    password = sys.stdin.readline().rstrip("\r\n") if arguments.password_stdin else None
    start_django()
    from hub import administration

    person = administration.create_user(
        arguments.name, email=arguments.email, administrator=arguments.admin, password=password
    )
    print(f"Created {person.username}.", file=sys.stderr)
    if password is None:
        print(f"Sign in once, within an hour: {administration.create_sign_in_link(person.username)}", file=sys.stderr)
    return 0


def run_create_token(arguments: argparse.Namespace) -> int:
    start_django()
    from hub import administration
    from hub.accounts.tokens import DEFAULT_DAYS

    secret = administration.create_token(
        arguments.name,
        label=arguments.label,
        scopes=arguments.scopes,
        repository=arguments.repository,
        days=DEFAULT_DAYS if arguments.expires is None else arguments.expires,
    )
    print(secret)
    return 0


def run_set_active(arguments: argparse.Namespace) -> int:
    start_django()
    from hub import administration

    person = administration.set_active(arguments.name, arguments.active)
    print(f"{person.username} is {'active' if person.is_active else 'deactivated'}.", file=sys.stderr)
    return 0


def run_sign_in_link(arguments: argparse.Namespace) -> int:
    start_django()
    from hub import administration

    print(administration.create_sign_in_link(arguments.name))
    return 0


def run_set_data_limit(arguments: argparse.Namespace) -> int:
    start_django()
    from hub import administration

    repository = administration.set_data_limit(arguments.repository, arguments.limit)
    print(f"{repository.full_name}: {arguments.limit}.", file=sys.stderr)
    return 0


def run_repo_path(arguments: argparse.Namespace) -> int:
    start_django()
    from hub import administration

    print(administration.repository_path(arguments.repository))
    return 0


def start_django() -> None:
    """Load the apps, and say in one line when the database is not there or not of this version."""
    import django

    django.setup(set_prefix=False)
    from hub import prepare

    prepare.require_schema()


def run_management(command: str, words: list[str]) -> int:
    """One of our management commands, with its errors as one line."""
    start_django()
    from django.core.management import CommandError, call_command, get_commands

    if command not in get_commands():
        known = sorted(name.replace("_", "-") for name in get_commands() if name.startswith("rebuild_"))
        raise Invalid(
            f"There is no {command.replace('_', '-')}.", details=f"There are: {', '.join(known)}." if known else ""
        )
    try:
        call_command(command, *words)
    except CommandError as error:
        return complain(f"covey: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
