"""How a folder is connected to a repository: the lines for git, dvc and mlflow, and one script that runs them all."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from hub.accounts import tokens
from hub.accounts.actor import Actor, Area
from repos.models import Access, Repository

TOKEN_DAYS = 90
AREAS = (Area.REPO, Area.DATA, Area.EXPERIMENTS)
SECRET = "YOUR-ACCESS-TOKEN"  # what stands where the token goes until there is one


@dataclass(frozen=True)
class Lines:
    """Shell lines, each group pasted as one. script: the same with one command."""

    git: str
    dvc: str
    mlflow: str
    script: str


def lines(repository: Repository, *, user: str, token: str = "") -> Lines:
    """user: whose name goes with the token. token: filled in where there is one; it never goes into a URL."""
    at, secret = f"{settings.COVEY_URL}/{repository.full_name}", token or SECRET
    hub, branch = urlsplit(settings.COVEY_URL), shlex.quote(repository.default_branch)
    remember = (
        f"git config credential.{settings.COVEY_URL}.helper 'store --file .git/covey-credentials'\n"
        f"printf 'protocol={hub.scheme}\\nhost={hub.netloc}\\nusername={user}\\npassword={secret}\\n'"
        " | git credential approve\n"
    )
    git = (
        f"git init -b {branch}\ngit remote add origin {at}.git\n{remember if token else ''}git push -u origin {branch}"
    )
    dvc = (
        f"dvc init\ndvc remote add -d origin {at}.dvc\n"
        "dvc remote modify --local origin auth basic\n"
        f"dvc remote modify --local origin user {user}\n"
        f"dvc remote modify --local origin password {secret}\n"
        "dvc push"
    )
    mlflow = (
        f"export MLFLOW_TRACKING_URI={at}.mlflow\n"
        f"export MLFLOW_TRACKING_USERNAME={user}\nexport MLFLOW_TRACKING_PASSWORD={secret}"
    )
    login = f" -u {user}:{secret}" if repository.private or token else ""
    return Lines(git, dvc, mlflow, f"curl -fsS{login} {at}/setup.sh | sh")


def make_token(actor: Actor, repository: Repository) -> str:
    """A secret bound to this repository: writing for whoever may write here, else reading."""
    verb = "write" if repository.granted >= Access.WRITE else "read"
    scopes = [f"{area}:{verb}" for area in AREAS]
    name = f"{repository.full_name} setup"
    return tokens.mint(actor, name=name, scopes=scopes, repository_id=repository.pk, days=TOKEN_DAYS)[1]


def script(repository: Repository, *, user: str, token: str = "") -> str:
    """A POSIX script. token: only the one its reader has just shown us; else it asks the environment for one."""
    hub = urlsplit(settings.COVEY_URL)
    values = {
        "hub": settings.COVEY_URL,
        "scheme": hub.scheme,
        "host": hub.netloc,
        "repository": repository.full_name,
        "branch": repository.default_branch,
        "user": user,
        "token": token,
    }
    quoted = {name: shlex.quote(value) for name, value in values.items()}
    return render_to_string("repos/setup.sh", {**quoted, "full_name": repository.full_name, "empty": repository.empty})


def refusal(sentence: str) -> str:
    """A script that says why there is none: whoever pipes it into sh reads the reason and nothing else happens."""
    return f"#!/bin/sh\nprintf '%s\\n' {shlex.quote('covey: ' + sentence)} >&2\nexit 1\n"
