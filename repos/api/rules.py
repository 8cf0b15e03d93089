"""/branch-rules: what the branches of a repository ask for. For its administrators."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.lib.api import Flag, paged, valid
from hub.lib.api_schema import PAGES, created
from repos import rules
from repos.api import gate
from repos.models import Access, BranchRule, Repository


class RuleObject(TypedDict):
    id: int
    pattern: str
    push: str
    approvals: int
    approvals_of_head: bool
    owners: bool
    statuses: list[str]
    up_to_date: bool
    reviewed_data: bool
    binds_admins: bool
    created_at: str


class ChangedRule(serializers.Serializer):
    """What is sent is changed. push: who may change the branch without a pull request. statuses: contexts.

    Unlike elsewhere a field with another name is refused: it would leave a rule that asks for less than was meant.
    """

    pattern = serializers.CharField(max_length=250, required=False)
    push = serializers.ChoiceField(choices=rules.Push.values, required=False)
    approvals = serializers.IntegerField(min_value=0, max_value=rules.MOST_APPROVALS, required=False)
    approvals_of_head = Flag(required=False)
    owners = Flag(required=False)
    statuses = serializers.ListField(
        child=serializers.CharField(max_length=rules.CONTEXT_CHARACTERS), max_length=rules.MOST_STATUSES, required=False
    )
    up_to_date = Flag(required=False)
    reviewed_data = Flag(required=False)
    binds_admins = Flag(required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name[:100]: f"No rule has this; it has {known}." for name in unknown[:10]}
            )
        return given


class NewRule(ChangedRule):
    """What is not sent is not asked for; push is writers and binds_admins is true then."""

    pattern = serializers.CharField(max_length=250)


def administered(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, need=Access.ADMIN)


class BranchRules(APIView):
    """The rules, by pattern."""

    inputs = {"post": NewRule}
    answers = {"get": list[RuleObject], "post": created(RuleObject)}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = administered(request, owner, name)
        return paged(request, rules.listed(repository), lambda page: [rule_object(rule) for rule in page])

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = administered(request, owner, name)
        rule = rules.add(gate.actor_of(request), repository, rules.Fields(**_given(NewRule, request)))
        return Response(rule_object(rule), status=201)


class OneBranchRule(APIView):
    inputs = {"patch": ChangedRule}
    answers = dict.fromkeys(("get", "patch"), RuleObject)

    def get(self, request: Request, owner: str, name: str, rule_id: int) -> Response:
        return Response(rule_object(rules.rule_of(administered(request, owner, name), rule_id)))

    def patch(self, request: Request, owner: str, name: str, rule_id: int) -> Response:
        rule = rules.rule_of(administered(request, owner, name), rule_id)
        fields = replace(rules.fields_of(rule), **_given(ChangedRule, request))
        rules.change(gate.actor_of(request), rule, fields)
        return self.get(request, owner, name, rule_id)

    def delete(self, request: Request, owner: str, name: str, rule_id: int) -> Response:
        rules.remove(gate.actor_of(request), rules.rule_of(administered(request, owner, name), rule_id))
        return Response(status=204)


def rule_object(rule: BranchRule) -> dict[str, Any]:
    return {"id": rule.pk, **asdict(rules.fields_of(rule)), "created_at": rule.created.isoformat()}


def _given(serializer: type[ChangedRule], request: Request) -> dict[str, Any]:
    fields = valid(serializer, request)
    return {**fields, "statuses": tuple(fields["statuses"])} if "statuses" in fields else fields
