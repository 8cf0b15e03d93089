"""The commands that the pages of data teach, filled in for one repository."""

from __future__ import annotations

import shlex

from django.conf import settings

from repos.connecting import SECRET
from repos.models import Repository

TRACK = "dvc add data\ngit add data.dvc .gitignore .dvc\ngit commit -m 'Track data'\ndvc push\ngit push"


def remote_url(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/{repository.owner.name}/{repository.name}.dvc"


def remote_lines(repository: Repository, user: str) -> str:
    """Shell lines that name this hub as the clone's default remote; the token is asked for, never written down."""
    return "\n".join(
        [
            f"dvc remote add --default --force origin {remote_url(repository)}",
            "dvc remote modify --local origin auth basic",
            f"dvc remote modify --local origin user {user}",
            "dvc remote modify --local origin ask_password true",
        ]
    )


def s3_lines(repository: Repository) -> str:
    """Shell lines that point S3 programs (boto3, s3fs, polars, the AWS command line) at this repository's buckets."""
    return "\n".join(
        [
            f"export AWS_ENDPOINT_URL={settings.COVEY_URL}/{repository.full_name}.s3 AWS_DEFAULT_REGION=us-east-1",
            f"export AWS_ACCESS_KEY_ID={SECRET} AWS_SECRET_ACCESS_KEY={SECRET}",
        ]
    )


def s3_python(repository: Repository) -> str:
    return f'import boto3\n\nboto3.client("s3").upload_file("model.bin", "{repository.name}", "models/model.bin")'


def push_lines(*revs: str) -> str:
    """Shell lines that push the data of these revisions, where it is."""
    return "\n".join(f"git checkout {shlex.quote(rev)}\ndvc push" for rev in dict.fromkeys(revs))


def push_missing(base: str, head: str, missing: list[dict[str, str]]) -> str:
    """The same for what a comparison misses; "" when that is nothing."""
    revs = {"base": base, "head": head}
    return push_lines(*(revs[lost["side"]] for lost in missing))


STAGE = """dvc stage add -n train \\
  -d src/train.py -d data/train.csv -p lr,epochs \\
  -o models/model.pkl -M metrics.json \\
  python src/train.py
dvc repro
git add dvc.yaml dvc.lock .gitignore
git commit -m 'Add the training stage'
dvc push
git push"""
