from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.views import archive, blame, blob, commit, commits, compare, connect, create, edit, find, home, refs, tree

app_name = "repos"
urlpatterns: list[URLPattern | URLResolver] = [
    path("new", create.new, name="new"),
    path("", include("repos.settings_urls")),
    path("<owner:owner>/<repository:name>", home.home, name="home"),
    path("<owner:owner>/<repository:name>/setup/token", connect.make_token, name="setup_token"),
    path("<owner:owner>/<repository:name>/setup/waiting", connect.waiting, name="setup_waiting"),
    path("<owner:owner>/<repository:name>/setup.sh", connect.script, name="setup_script"),
    path("<owner:owner>/<repository:name>/tree", tree.default, name="default_tree"),
    path("<owner:owner>/<repository:name>/tree/<rest:rest>", tree.tree, name="tree"),
    path("<owner:owner>/<repository:name>/tree-commits/<rest:rest>", tree.tree_commits, name="tree_commits"),
    path("<owner:owner>/<repository:name>/src/<rest:rest>", tree.src, name="src"),
    path("<owner:owner>/<repository:name>/blob/<rest:rest>", blob.blob, name="blob"),
    path("<owner:owner>/<repository:name>/new/<rest:rest>", edit.new, name="new_file"),
    path("<owner:owner>/<repository:name>/edit/<rest:rest>", edit.edit, name="edit"),
    path("<owner:owner>/<repository:name>/delete/<rest:rest>", edit.delete, name="delete_file"),
    path("<owner:owner>/<repository:name>/upload/<rest:rest>", edit.upload, name="upload"),
    path("<owner:owner>/<repository:name>/commits", commits.commits, name="commits"),
    path("<owner:owner>/<repository:name>/commits/<rest:rest>", commits.commits, name="commits_at"),
    path("<owner:owner>/<repository:name>/commit/<rest:rest>", commit.commit, name="commit"),
    path("<owner:owner>/<repository:name>/diff-file/<rest:rest>", commit.diff_file, name="diff_file"),
    path("<owner:owner>/<repository:name>/compare", compare.choose, name="choose"),
    path("<owner:owner>/<repository:name>/compare/<rest:rest>", compare.compare, name="compare"),
    path("<owner:owner>/<repository:name>/branches", refs.branches, name="branches"),
    path("<owner:owner>/<repository:name>/tags", refs.tags, name="tags"),
    path("<owner:owner>/<repository:name>/blame/<rest:rest>", blame.blame, name="blame"),
    path("<owner:owner>/<repository:name>/find/<rest:rest>", find.find, name="find"),
    path("<owner:owner>/<repository:name>/archive/<rest:rest>", archive.archive, name="archive"),
]
