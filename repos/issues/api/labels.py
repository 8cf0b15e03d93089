"""/labels and /milestones."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.jobs.once import once
from hub.lib.api import paged, valid
from hub.lib.api_schema import PAGES, created
from hub.lib.conditional import ConditionalView
from hub.lib.errors import Invalid
from repos.api import gate
from repos.issues import labels, milestones
from repos.issues.api.asking import readable, writable
from repos.issues.api.shapes import LabelObject, MilestoneObject, label_object, milestone_object
from repos.issues.models import Label
from repos.issues.texts import BODY_CHARACTERS
from repos.models import Repository


class NewLabel(serializers.Serializer):
    """color: six hexadecimal digits."""

    name = serializers.CharField(max_length=50)
    color = serializers.CharField(max_length=7, allow_blank=True, default="")
    description = serializers.CharField(max_length=100, allow_blank=True, default="")


class ChangedLabel(serializers.Serializer):
    """What is sent is changed."""

    new_name = serializers.CharField(max_length=50, required=False)
    color = serializers.CharField(max_length=7, required=False)
    description = serializers.CharField(max_length=100, allow_blank=True, required=False)


DUE = ["iso-8601", "%Y-%m-%dT%H:%M:%SZ"]  # a day, or the moment that GitHub's clients send


class NewMilestone(serializers.Serializer):
    """state: open or closed."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=BODY_CHARACTERS, allow_blank=True, default="")
    due_on = serializers.DateField(allow_null=True, default=None, input_formats=DUE)
    state = serializers.ChoiceField(choices=["open", "closed"], default="open")


class ChangedMilestone(serializers.Serializer):
    """What is sent is changed. state: open or closed."""

    title = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(max_length=BODY_CHARACTERS, allow_blank=True, required=False)
    due_on = serializers.DateField(allow_null=True, required=False, input_formats=DUE)
    state = serializers.ChoiceField(choices=["open", "closed"], required=False)


class Labels(ConditionalView):
    """The labels of a repository, by name."""

    inputs = {"post": NewLabel}
    answers = {"get": list[LabelObject], "post": created(LabelObject)}
    queries = {"get": PAGES}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str) -> Response:
        rows = labels.listed(readable(request, owner, name))
        return paged(request, rows, lambda page: [label_object(label) for label in page])

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository, fields = writable(request, owner, name), valid(NewLabel, request)
        made = {"name": fields["name"], "colour": fields["color"], "description": fields["description"]}
        actor = gate.actor_of(request)
        return once(request, lambda: Response(label_object(labels.create(actor, repository, **made)), status=201))


class OneLabel(ConditionalView):
    inputs = {"patch": ChangedLabel}
    answers = dict.fromkeys(("get", "patch"), LabelObject)

    def get(self, request: Request, owner: str, name: str, label: str) -> Response:
        return Response(label_object(_label(readable(request, owner, name), label)))

    def patch(self, request: Request, owner: str, name: str, label: str) -> Response:
        found = _label(writable(request, owner, name), label)
        fields = valid(ChangedLabel, request)
        labels.change(
            gate.actor_of(request),
            found,
            name=fields.get("new_name"),
            colour=fields.get("color"),
            description=fields.get("description"),
        )
        return Response(label_object(labels.label_of(found.repository, found.pk)))

    def delete(self, request: Request, owner: str, name: str, label: str) -> Response:
        labels.remove(gate.actor_of(request), _label(writable(request, owner, name), label))
        return Response(status=204)


def _label(repository: Repository, name: str) -> Label:
    return labels.label_of(repository, labels.named(repository, [name])[0].pk)


class Milestones(ConditionalView):
    """Milestones with the counts of their issues, those that are due first. state: open (default) or closed."""

    inputs = {"post": NewMilestone}
    answers = {"get": list[MilestoneObject], "post": created(MilestoneObject)}
    queries = {"get": {**PAGES, "state": ["open", "closed"]}}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository, state = readable(request, owner, name), request.query_params.get("state", "open")
        if state not in {"open", "closed"}:
            raise Invalid("state is open or closed.")
        rows = milestones.listed(repository, closed=state == "closed")
        return paged(request, rows, lambda page: [milestone_object(row, repository) for row in page])

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository, fields = writable(request, owner, name), valid(NewMilestone, request)
        fields["due"], fields["closed"] = fields.pop("due_on"), fields.pop("state") == "closed"
        actor = gate.actor_of(request)

        def make() -> Response:
            made = milestones.create(actor, repository, **fields)
            return Response(milestone_object(made, repository), status=201)

        return once(request, make)


class OneMilestone(ConditionalView):
    inputs = {"patch": ChangedMilestone}
    answers = dict.fromkeys(("get", "patch"), MilestoneObject)

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        repository = readable(request, owner, name)
        return Response(milestone_object(milestones.milestone_of(repository, number), repository))

    def patch(self, request: Request, owner: str, name: str, number: int) -> Response:
        repository, actor = writable(request, owner, name), gate.actor_of(request)
        found = milestones.milestone_of(repository, number)
        fields = valid(ChangedMilestone, request)
        milestones.change(
            actor,
            found,
            title=fields.get("title", found.title),
            description=fields.get("description", found.description),
            due=fields.get("due_on", found.due),
        )
        if "state" in fields:
            milestones.close(actor, found, fields["state"] == "closed")
        return self.get(request, owner, name, number)

    def delete(self, request: Request, owner: str, name: str, number: int) -> Response:
        repository = writable(request, owner, name)
        milestones.remove(gate.actor_of(request), milestones.milestone_of(repository, number))
        return Response(status=204)
