"""Owners, users, access tokens and the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models, transaction
from django.db.models import Q


class Owner(models.Model):
    """One case-insensitive name table for everything that can own repositories."""

    class Kind(models.TextChoices):
        USER = "user"
        ORGANISATION = "organisation"

    name = models.CharField(max_length=40)
    name_key = models.CharField(max_length=40, unique=True, help_text="name in lower case")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.USER)
    created = models.DateTimeField(auto_now_add=True)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = self.name.lower()
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return self.name


class Users(UserManager["User"]):
    def _create_user(self, username: str, email: str | None, password: str | None, **extra: Any) -> User:
        with transaction.atomic():
            return super()._create_user(username, email, password, **extra)  # type: ignore[misc]  # the stubs keep it to themselves

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(owner__name_key=(username or "").lower())


class User(AbstractUser):
    """A person. username equals owner.name; the owner row is made on the first save."""

    owner = models.OneToOneField(Owner, on_delete=models.PROTECT, related_name="user")
    full_name = models.CharField(max_length=120, blank=True)
    biography = models.CharField(max_length=300, blank=True)
    website = models.URLField(max_length=200, blank=True)
    company = models.CharField(max_length=120, blank=True)
    preferences = models.JSONField(default=dict, blank=True)

    objects = Users()  # type: ignore[misc]  # the stubs fix the parent's manager

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            if self.owner_id is None:
                from hub.accounts.names import check_new_name  # names reads Owner

                self.owner = Owner.objects.create(name=check_new_name(self.username))
            super().save(*args, **kwargs)

    @property
    def display_name(self) -> str:
        return self.full_name or self.username

    @property
    def hides_email(self) -> bool:
        """Whether what the hub commits in their name has an address that gets no mail."""
        return bool(self.preferences.get("hides_email"))


class AccessToken(models.Model):
    """A credential for machines. Only its SHA-256 is kept; scopes are "area:read" or "area:write"."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    start = models.CharField(max_length=16, help_text="the first characters, to recognise it by")
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    repository = models.ForeignKey(
        "repos.Repository", null=True, blank=True, on_delete=models.CASCADE, related_name="tokens"
    )
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    last_used = models.DateTimeField(null=True)
    revoked = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"


class AuditEvents(models.QuerySet["AuditEvent"]):
    """Events are read and appended; nothing in Django may change or remove one (triggers refuse it below)."""

    def of(self, user: User) -> AuditEvents:
        """What this person did, and what was done to what is theirs."""
        return self.filter(Q(owner_id=user.owner_id) | Q(actor_id=user.pk))

    def update(self, **values: Any) -> int:
        raise AppendOnly()

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly()


class AppendOnly(RuntimeError):
    def __init__(self) -> None:
        super().__init__("The audit log is append-only.")


class AuditEvent(models.Model):
    """One security act. Append-only; each row's hash covers the row before it. Plain ids outlive what they name."""

    created = models.DateTimeField()
    action = models.CharField(max_length=60)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=40, blank=True)
    token_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=45, blank=True)
    owner_id = models.BigIntegerField(null=True, help_text="whose log it belongs to")
    repository_id = models.BigIntegerField(null=True, db_index=True)
    subject = models.CharField(max_length=300, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = AuditEvents.as_manager()

    @property
    def change(self) -> str:
        """What was before → what came after, in one line for people."""
        sides = [_words(value) for value in (self.before, self.after) if value is not None]
        return " → ".join(sides)

    class Meta:
        indexes = [
            models.Index(fields=["owner_id", "-id"], name="audit_of_owner"),
            models.Index(fields=["actor_id", "-id"], name="audit_of_actor"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly()


def _words(value: Any) -> str:
    if isinstance(value, dict):
        # sorted: PostgreSQL keeps the names of an object in an order of its own
        return ", ".join(f"{name}: {_words(part)}" for name, part in sorted(value.items()) if part is not None)
    if isinstance(value, list):
        return " ".join(_words(part) for part in value)
    return str(value)
