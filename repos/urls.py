from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.views import blob, commits, connect, create, home, tree

app_name = "repos"
urlpatterns: list[URLPattern | URLResolver] = [
    path("new", create.new, name="new"),
    path("", include("repos.settings_urls")),
    path("<owner:owner>/<repository:name>", home.home, name="home"),
    path("<owner:owner>/<repository:name>/setup/token", connect.make_token, name="setup_token"),
    path("<owner:owner>/<repository:name>/setup/waiting", connect.waiting, name="setup_waiting"),
    path("<owner:owner>/<repository:name>/setup.sh", connect.script, name="setup_script"),
    path("<owner:owner>/<repository:name>/tree/<rest:rest>", tree.tree, name="tree"),
    path("<owner:owner>/<repository:name>/tree-commits/<rest:rest>", tree.tree_commits, name="tree_commits"),
    path("<owner:owner>/<repository:name>/src/<rest:rest>", tree.src, name="src"),
    path("<owner:owner>/<repository:name>/blob/<rest:rest>", blob.blob, name="blob"),
    path("<owner:owner>/<repository:name>/commits", commits.commits, name="commits"),
    path("<owner:owner>/<repository:name>/commits/<rest:rest>", commits.commits, name="commits_at"),
]
