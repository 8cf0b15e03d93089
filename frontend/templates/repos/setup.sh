{% autoescape off %}#!/bin/sh
# Connects this folder to {{ full_name }}: git, and dvc and mlflow where they are installed.
# Read it, run it, run it again: it changes only settings of this folder, and sends nothing anywhere.
# The token is kept in .git/covey-credentials, .git/covey.env and .dvc/config.local, which git never commits.
set -eu

hub={{ hub }}
repository={{ repository }}
branch={{ branch }}
user={{ user }}
token=${COVEY_TOKEN:-{{ token }}}

say() { printf '%s\n' "$*"; }
has() { command -v "$1" >/dev/null 2>&1; }

connect_git() {
    if ! git rev-parse --git-dir >/dev/null 2>&1; then
        git init -q
        git symbolic-ref HEAD "refs/heads/$branch"
    fi
    cd "$(git rev-parse --show-toplevel)"
    remote=origin
    if known=$(git remote get-url origin 2>/dev/null) && [ "$known" != "$hub/$repository.git" ]; then
        remote=covey # origin is another place and stays
    fi
    git remote add "$remote" "$hub/$repository.git" 2>/dev/null || git remote set-url "$remote" "$hub/$repository.git"
    git config "credential.$hub.username" "$user"
    if [ -n "$token" ]; then
        store="store --file '$(git rev-parse --absolute-git-dir)/covey-credentials'"
        git config --unset-all "credential.$hub.helper" || true
        git config --add "credential.$hub.helper" ''
        git config --add "credential.$hub.helper" "$store"
        (
            umask 077
            printf 'protocol=%s\nhost=%s\nusername=%s\npassword=%s\n' {{ scheme }} {{ host }} "$user" "$token" |
                git credential approve
        )
    fi
    say "git: remote '$remote' is $hub/$repository.git"
}

connect_dvc() {
    [ -d .dvc ] || dvc init -q
    data=origin
    known=$(dvc remote list | awk '$1 == "origin" { print $2 }')
    if [ -n "$known" ] && [ "$known" != "$hub/$repository.dvc" ]; then
        data=covey # origin is another place and stays
    fi
    dvc remote add -q -f -d "$data" "$hub/$repository.dvc"
    if [ -n "$token" ]; then
        (
            umask 077
            dvc remote modify -q --local "$data" auth basic
            dvc remote modify -q --local "$data" user "$user"
            dvc remote modify -q --local "$data" password "$token"
        )
    fi
    say "dvc: remote '$data' is $hub/$repository.dvc"
}

connect_mlflow() {
    settings=$(git rev-parse --absolute-git-dir)/covey.env
    (
        umask 077
        {
            say "export MLFLOW_TRACKING_URI='$hub/$repository.mlflow'"
            say "export MLFLOW_TRACKING_USERNAME='$user'"
            say "export MLFLOW_TRACKING_PASSWORD='$token'"
        } >"$settings"
    )
    say "mlflow: run  . '$settings'  in the shell you train in"
}

main() {
    has git || { say 'git is not installed. Install it, then run this again.' >&2; exit 1; }
    connect_git
    if has dvc; then connect_dvc; else say 'dvc: not installed here, skipped (pip install dvc)'; fi
    connect_mlflow
    if [ -z "$token" ]; then
        say "No token: make one at $hub/settings/tokens and run this again with COVEY_TOKEN=… before sh."
    fi
    {% if empty %}say "Next: git add, git commit, then  git push -u $remote $branch"{% else %}say "Next: git pull $remote $branch"{% endif %}
}

main
{% endautoescape %}
