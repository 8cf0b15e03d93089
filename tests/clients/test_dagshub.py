"""The unmodified `dagshub` client against a running hub, moved there by DAGSHUB_CLIENT_HOST alone."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.support import clients
from tests.support.hub import Hub

pytestmark = pytest.mark.client
SETTINGS = {"DAGSHUB_DISABLE_ANALYTICS": "0", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}


class Dagshub:
    """One person with the client, in a folder outside the tree."""

    def __init__(self, hub: Hub, token: str, folder: Path) -> None:
        self.hub, self.token, self.folder = hub, token, folder
        self.bin = clients.environment("dagshub")
        self.environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(folder),
            "DAGSHUB_CLIENT_HOST": hub.url,
            "DAGSHUB_USER_TOKEN": token,
            **SETTINGS,
        }

    def python(self, code: str) -> str:
        return self._run([str(self.bin / "python"), "-c", code])

    def cli(self, *arguments: str) -> str:
        return self._run([str(self.bin / "dagshub"), "--host", self.hub.url, *arguments])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, text=True, capture_output=True, timeout=120
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self.hub.log()[-3000:]}"
        return done.stdout + done.stderr

    def api(self, path: str) -> bytes:
        request = urllib.request.Request(
            f"{self.hub.url}/api/v1/{path}", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()

    def listing(self, repository: str, path: str) -> dict[str, str]:
        """path → versioning."""
        return {e["path"]: e["versioning"] for e in json.loads(self.api(f"repos/dora/{repository}/content/{path}"))}


@pytest.fixture(scope="module")
def token(hub: Hub) -> str:
    return hub.user("dora")


@pytest.fixture
def dora(hub: Hub, token: str, tmp_path: Path) -> Dagshub:
    return Dagshub(hub, token, tmp_path)


def test_init_makes_the_repository_and_points_mlflow_at_it(dora):
    out = dora.python(
        "import dagshub, os\n"
        "dagshub.init(repo_name='initiated', repo_owner='dora', mlflow=True)\n"
        "print(os.environ['MLFLOW_TRACKING_URI'], os.environ['MLFLOW_TRACKING_USERNAME'])\n"
    )
    assert f"{dora.hub.url}/dora/initiated.mlflow dora" in out
    assert json.loads(dora.api("repos/dora/initiated"))["empty"] is True
    dora.python("import dagshub; dagshub.init(repo_name='initiated', repo_owner='dora', mlflow=True)")


def test_files_are_uploaded_changed_and_refused(dora):
    """First into an empty repository, then with the tip, then the same again, then without the tip."""
    (dora.folder / "notes.txt").write_text("one\n")
    out = dora.python(
        "from dagshub.upload import create_repo, Repo\n"
        "import dagshub.upload.errors as errors\n"
        "create_repo('files')\n"
        "repo = Repo('dora', 'files')\n"
        "repo.upload('notes.txt', remote_path='docs/deep/notes.txt', commit_message='First', versioning='git')\n"
        "open('notes.txt', 'w').write('two\\n')\n"
        "try:\n"
        "    repo.upload('notes.txt', remote_path='docs/deep/notes.txt', versioning='git')\n"
        "except errors.UpdateNotAllowedError as error:\n"
        "    print('refused', type(error).__name__)\n"
        "repo.upload('notes.txt', remote_path='docs/deep/notes.txt', versioning='git', force=True)\n"
        "repo.upload('notes.txt', remote_path='docs/deep/notes.txt', versioning='git', force=True)\n"
    )
    assert "refused UpdateNotAllowedError" in out
    assert "identical" in out
    assert dora.api("repos/dora/files/raw/main/docs/deep/notes.txt") == b"two\n"
    messages = [commit["message"] for commit in json.loads(dora.api("repos/dora/files/commits"))]
    assert len(messages) == 2
    assert messages[-1] == "First"


def test_a_new_branch_is_made_by_the_upload(dora):
    (dora.folder / "a.txt").write_text("a\n")
    dora.python(
        "from dagshub.upload import create_repo, Repo\n"
        "create_repo('branches')\n"
        "Repo('dora', 'branches').upload('a.txt', remote_path='a.txt', versioning='git')\n"
        "Repo('dora', 'branches', branch='feature/x').upload('a.txt', remote_path='b.txt', versioning='git')\n"
    )
    assert dora.listing("branches", "main/") == {"a.txt": "git"}
    assert dora.listing("branches", "feature/x/") == {"a.txt": "git", "b.txt": "git"}


def test_auto_keeps_text_in_git_and_binary_in_dvc(dora):
    (dora.folder / "a.txt").write_text("text\n")
    (dora.folder / "b.bin").write_bytes(bytes(range(256)) * 100)
    dora.python(
        "from dagshub.upload import create_repo, Repo\n"
        "create_repo('auto')\n"
        "repo = Repo('dora', 'auto')\n"
        "repo.upload('a.txt', remote_path='a.txt')\n"
        "repo.upload('b.bin', remote_path='data/b.bin')\n"
    )
    assert dora.listing("auto", "main/data") == {"data/.gitignore": "git", "data/b.bin": "dvc", "data/b.bin.dvc": "git"}
    assert dora.listing("auto", "main/")["a.txt"] == "git"
    assert dora.api("repos/dora/auto/raw/main/data/b.bin") == bytes(range(256)) * 100


def test_a_directory_grows_as_one_dvc_output_and_comes_back(dora, tmp_path):
    """Each sub-folder is a batch of its own: every one must grow the same output."""
    files = {"a.txt": b"a", "sub/b.txt": b"bb", "sub/deep/c d.txt": b"ccc"}
    for name, body in files.items():
        path = dora.folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    dora.python(
        "from dagshub.upload import create_repo, Repo\n"
        "create_repo('folder')\n"
        "Repo('dora', 'folder').upload('images', remote_path='data/images', commit_message='Images')\n"
    )
    assert dora.listing("folder", "main/data")["data/images"] == "dvc"
    pointer = dora.api("repos/dora/folder/raw/main/data/images.dvc").decode()
    assert "nfiles: 3" in pointer
    assert "size: 6" in pointer
    dora.cli("download", "dora/folder", "data/images", "back")
    found = {
        str(p.relative_to(dora.folder / "back")): p.read_bytes()
        for p in (dora.folder / "back").rglob("*")
        if p.is_file()
    }
    assert {name.removeprefix("data/images/"): body for name, body in found.items()} == files


def test_the_command_line_uploads_and_downloads(dora):
    (dora.folder / "model.txt").write_text("weights\n")
    dora.python("from dagshub.upload import create_repo; create_repo('command')")
    dora.cli("upload", "dora/command", "model.txt", "models/model.txt", "-m", "By command")
    dora.cli("download", "dora/command", "models/model.txt", "got.txt")
    found = [p for p in dora.folder.rglob("*") if p.is_file() and p.name in {"got.txt", "model.txt"}]
    assert len(found) == 2
    assert all(path.read_text() == "weights\n" for path in found)


def test_the_file_system_streams(dora):
    (dora.folder / "a.txt").write_text("streamed\n")
    dora.python(
        "from dagshub.upload import create_repo, Repo\n"
        "create_repo('streamed')\n"
        "Repo('dora', 'streamed').upload('a.txt', remote_path='data/a.txt', versioning='git')\n"
    )
    out = dora.python(
        "import os\n"
        "from dagshub.streaming import DagsHubFilesystem\n"
        "os.makedirs('work', exist_ok=True)\n"
        f"fs = DagsHubFilesystem('work', repo_url='{dora.hub.url}/dora/streamed', branch='main')\n"
        "print(sorted(fs.listdir('work')), fs.open('work/data/a.txt').read())\n"
    )
    # The first holds the repository's bucket, the second is the client's own marker.
    assert "['.dagshub', '.dagshub-streaming', 'data'] streamed" in out


def test_a_stranger_finds_nothing(dora, hub, tmp_path_factory):
    dora.python("from dagshub.upload import create_repo; create_repo('secret', private=True)")
    eve = Dagshub(hub, hub.user("eve"), tmp_path_factory.mktemp("eve"))
    out = eve.python(
        "from dagshub.common.api.repo import RepoAPI, RepoNotFoundError\n"
        "try:\n"
        "    RepoAPI('dora/secret').get_repo_info()\n"
        "except RepoNotFoundError:\n"
        "    print('nothing')\n"
    )
    assert "nothing" in out


def test_the_bucket_client_and_the_bucket_upload(dora):
    """boto3's client as dagshub makes it, `dagshub upload --bucket`, and the storage calls that list and read it."""
    (dora.folder / "a.txt").write_text("a\n")
    (dora.folder / "many").mkdir()
    for number in range(5):
        (dora.folder / "many" / f"{number}.bin").write_bytes(bytes([number]) * 1000)
    dora.python(
        "from dagshub.upload import create_repo\n"
        "from dagshub import get_repo_bucket_client\n"
        "create_repo('bucket')\n"
        "client = get_repo_bucket_client('dora/bucket')\n"
        "client.upload_file('a.txt', 'bucket', 'models/a.txt')\n"
        "assert client.get_object(Bucket='bucket', Key='models/a.txt')['Body'].read() == b'a\\n'\n"
    )
    dora.cli("upload", "--bucket", "dora/bucket", "many", "data/many")
    out = dora.python(
        "from dagshub.common.api.repo import RepoAPI\n"
        "api = RepoAPI('dora/bucket')\n"
        "print([(s.name, s.protocol) for s in api.get_connected_storages()])\n"
        "print(sorted(e.path for e in api.list_storage_path('s3/bucket/data/many')))\n"
        "print([e.path for e in api.list_storage_path('s3/bucket')])\n"
        "print(api.get_storage_file('s3/bucket/models/a.txt'))\n"
    )
    assert "[('bucket', 's3')]" in out
    assert str([f"s3/bucket/data/many/{n}.bin" for n in range(5)]) in out
    assert "['s3/bucket/data', 's3/bucket/models']" in out
    assert "b'a\\n'" in out
