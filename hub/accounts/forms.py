"""Forms of the account pages: allauth's, with our words and without its placeholders."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.models import EmailAddress
from django import forms
from django.http import HttpRequest

from hub.accounts import mail
from hub.accounts.models import User
from hub.lib.errors import Invalid


class LoginForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "User name or e-mail address"
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"].help_text = ""
        _no_placeholders(self)


class SignupForm(allauth_forms.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"
        self.fields["username"].help_text = "The first part of your repositories' addresses. Letters, digits, - and _."
        self.fields["email"].label = "E-mail address"
        self.fields["password1"].help_text = "At least 12 characters; a few random words do well."
        self.fields["password2"].label = "The same password again"
        _no_placeholders(self)


class AddEmailForm(allauth_forms.AddEmailForm):
    def save(self, request: HttpRequest) -> EmailAddress:
        """A confirmed address stays until the new one is; one that never was is replaced at once."""
        address = super().save(request)
        self.user.refresh_from_db()
        if not self.user.email:
            self.user.email = address.email
            self.user.save(update_fields=["email"])
        return address


class ResetPasswordForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        names = set(self.data or {})
        if names & {"email[]", "email[0]"} or (hasattr(self.data, "getlist") and len(self.data.getlist("email")) > 1):
            raise Invalid("Send one e-mail address.", details="The form holds more than one; nothing was sent.")

    def save(self, request: HttpRequest) -> None:
        """Whether the address is known is found out in the worker, after the answer has left."""
        mail.announce_reset(self.cleaned_data["email"].lower())


class ProfileForm(forms.ModelForm):
    scheme = forms.ChoiceField(
        label="Colours", choices=[("auto", "As my system"), ("light", "Light"), ("dark", "Dark")], required=False
    )

    hides_email = forms.BooleanField(
        label="Keep my e-mail address out of commits",
        required=False,
        help_text="What the hub commits in your name (edits, merges, suggestions) then has one that gets no mail. "
        "What you push has the address that your git is set to.",
    )

    class Meta:
        model = User
        fields = ["full_name", "biography", "company", "website"]
        labels = {"full_name": "Name", "biography": "About you", "company": "Organisation", "website": "Web site"}
        widgets = {"biography": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scheme"].initial = self.instance.preferences.get("scheme", "auto")
        self.fields["hides_email"].initial = self.instance.hides_email

    def clean_website(self) -> str:
        website = self.cleaned_data["website"]
        if website and not website.startswith(("http://", "https://")):
            raise forms.ValidationError("Start with http:// or https://.")
        return website

    def save(self, commit: bool = True) -> User:
        chosen = {"scheme": self.cleaned_data["scheme"] or "auto", "hides_email": self.cleaned_data["hides_email"]}
        self.instance.preferences = {**self.instance.preferences, **chosen}
        return super().save(commit)


def _no_placeholders(form: forms.Form) -> None:
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
