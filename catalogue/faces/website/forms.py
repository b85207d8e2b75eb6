"""What people type about programs and tokens, checked for its form; every rule is the verbs'."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django import forms

from catalogue.ground.access import PERSONAL_SCOPES, SCOPE_WORDS
from catalogue.ground.programs import LONGEST_NAME

LIFETIMES = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "1 year")]


def _choices(scopes: Iterable[str]) -> list[tuple[str, str]]:
    """Scopes by their names, as lists and the API tell them, with what each means."""
    return [(scope, f"{scope}: {SCOPE_WORDS[scope]}") for scope in scopes]


class ScopesForm(forms.Form):
    """What a program may do."""

    scopes = forms.MultipleChoiceField(
        label="May",
        required=False,
        choices=_choices(SCOPE_WORDS),
        widget=forms.CheckboxSelectMultiple,
        help_text="For a person it never does more than they may, but what it reports.",
    )


class PeopleForm(forms.Form):
    """Whom a program acts for."""

    emails = forms.CharField(
        label="Acts for",
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="E-mail addresses of accounts, one a line.",
    )

    def addresses(self) -> list[str]:
        """The lines."""
        given: str = self.cleaned_data["emails"]
        return given.replace(",", "\n").replace(";", "\n").splitlines()


class ProgramForm(PeopleForm, ScopesForm):
    """A new program."""

    name = forms.CharField(
        label="Name", max_length=LONGEST_NAME, help_text="As the journal shall tell of it."
    )
    account = forms.CharField(
        label="Own account",
        required=False,
        max_length=150,
        help_text="Login of a service account, for calls that name nobody.",
    )
    field_order = ["name", "scopes", "emails", "account"]


class RotateForm(forms.Form):
    """A new secret."""

    end_tokens = forms.BooleanField(label="End its tokens now too", required=False)


class RevokeForm(forms.Form):
    """That a program is shut out, which cannot be undone; hence its name."""

    named = forms.CharField(label="Its name, to make sure", max_length=LONGEST_NAME)
    reason = forms.CharField(label="Reason", required=False, max_length=2000)


class TokenForm(forms.Form):
    """A token of one's own."""

    name = forms.CharField(label="Name", max_length=80, help_text="What it is for, or where.")
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=_choices(PERSONAL_SCOPES),
        widget=forms.CheckboxSelectMultiple,
        initial=["read"],
        help_text="Never more than you may yourself.",
    )
    days = forms.ChoiceField(label="Expires after", choices=LIFETIMES, initial="30")

    def lifetime(self) -> timedelta:
        """How long it shall be valid."""
        return timedelta(days=int(self.cleaned_data["days"]))


class WhyForm(forms.Form):
    """Of whom it is asked what they may do, and where."""

    person = forms.CharField(
        label="Login or e-mail address", required=False, max_length=254, help_text="Empty: you."
    )
    proposal = forms.IntegerField(
        label="Proposal",
        required=False,
        min_value=0,
        max_value=999_999,
        help_text="Its number. Empty: everywhere.",
    )
    scopes = forms.MultipleChoiceField(
        label="With a token of these scopes",
        required=False,
        choices=_choices(SCOPE_WORDS),
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: in the browser.",
    )


class WithdrawForm(forms.Form):
    """What was published, and why it is to be withdrawn."""

    proposal = forms.IntegerField(label="Proposal", min_value=0, max_value=999_999)
    reason = forms.CharField(
        label="Reason", max_length=2000, help_text="It stays in the journal; readers see the day."
    )
