"""What a new pull request begins with: a file of the default branch, or one of several, as GitHub has them."""

from __future__ import annotations

from repos.issues.issue_templates import Template, in_folders
from repos.models import Repository

PLACES = (".covey", ".github")
FOLDERS = tuple(f"{place}/PULL_REQUEST_TEMPLATE" for place in PLACES)
NAMES = ("PULL_REQUEST_TEMPLATE.md", "pull_request_template.md")
FILES = tuple(f"{place}/{name}" for place in PLACES for name in NAMES)


def templates_of(repository: Repository) -> list[Template]:
    """The one that counts without a choice first, if there is one; then by file name."""
    found = in_folders(repository, "pull-templates", FOLDERS, FILES)
    return sorted(found, key=lambda template: (template.file not in NAMES, template.file))


def chosen(templates: list[Template], file: str) -> Template | None:
    """The one of this name; without a name the usual one, and the only one."""
    named = next((template for template in templates if template.file == file), None)
    usual = templates and (templates[0].file in NAMES or len(templates) == 1)
    return named or (templates[0] if usual else None)
