"""Forms: what is wrong stands at its field, two versions are shown, and twice is once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django import forms
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.test import RequestFactory

from catalogue.ground import typed
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import IdempotencyKey
from catalogue.ground.refusal import Refused
from proposals.forms import MomentField
from tests.factories import Facility, UserFactory


class NoteForm(typed.EditForm):
    text = forms.CharField()
    size = forms.IntegerField(required=False)
    loud = forms.BooleanField(required=False)


def sent(seen: str = "", **values: str) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({"seen": seen, **values})
    return data


class TestStale:
    NOW = {"text": "as it was", "size": 1, "loud": False}

    def test_what_nobody_changed_is_not_stale(self) -> None:
        shown = NoteForm(now=self.NOW)
        form = NoteForm(sent(shown.seen, text="mine", size="1"), now=self.NOW)
        assert form.is_valid()
        assert form.compare(self.NOW)
        assert form.differences == []

    def test_what_somebody_changed_is_told_in_both_versions(self) -> None:
        shown = NoteForm(now=self.NOW)
        there = {"text": "theirs", "size": 1, "loud": True}
        form = NoteForm(sent(shown.seen, text="mine", size="1"), now=there)
        assert form.is_valid()
        assert not form.compare(there)
        told = [(d.label, d.now, d.yours) for d in form.differences]
        assert told == [("Text", "theirs", "mine"), ("Loud", "yes", "no")]

    def test_sent_again_it_is_applied_unless_it_changed_once_more(self) -> None:
        there = {"text": "theirs", "size": 1, "loud": True}
        stale = NoteForm(sent("of long ago", text="mine"), now=there)
        assert stale.is_valid()
        assert not stale.compare(there)
        again = NoteForm(sent(stale.seen, text="mine"), now=there)
        assert again.is_valid()
        assert again.compare(there)
        assert not again.compare({**there, "text": "a third"})

    def test_an_error_does_not_forget_what_was_seen(self) -> None:
        form = NoteForm(sent("known", text=""), now=self.NOW)
        assert not form.is_valid()
        assert form.seen == "known"

    def test_line_ends_of_forms_are_no_change(self) -> None:
        now = {"text": "a\nb", "size": None, "loud": False}
        form = NoteForm(sent("old", text="a\r\nb "), now=now)
        assert form.is_valid()
        form.compare(now)
        assert form.differences == []


@pytest.mark.parametrize(
    ("problem", "status", "field"),
    [
        (Invalid("text", "must be shorter", "x"), 422, "text"),
        (Invalid("elsewhere", "must be shorter", "x"), 422, "__all__"),
        (Refused("Not now.", kind="state"), 409, "__all__"),
        (Refused("Not you.", kind="permission", who="staff"), 403, "__all__"),
        (Refused("Why?", kind="reason"), 422, "__all__"),
    ],
)
def test_what_a_verb_says_stands_where_it_belongs(
    problem: Exception, status: int, field: str
) -> None:
    form = NoteForm(sent(text="x"), now={})

    def act() -> None:
        raise problem

    assert typed.attempt(form, act) == status
    assert list(form.errors) == [field]


def test_changing_waits_for_the_lock_and_compares_under_it(facility: Facility) -> None:
    proposal = facility.proposal()
    now = {"text": "a", "size": None, "loud": False}
    done: list[str] = []

    def act() -> None:
        assert transaction.get_connection().in_atomic_block
        done.append("done")

    form = NoteForm(sent(NoteForm(now=now).seen, text="b"), now=now)
    assert typed.attempt_change(form, act, held=proposal, now=lambda: now) == 0
    form = NoteForm(sent(NoteForm(now=now).seen, text="b"), now=now)
    moved = {**now, "text": "c"}
    assert typed.attempt_change(form, act, held=proposal, now=lambda: moved) == 409
    assert done == ["done"]


class TestOnce:
    @pytest.fixture
    def user(self, db: None) -> object:
        return UserFactory()

    def ask(self, user: object, status: int = 303, **fields: str) -> tuple[HttpResponse, list[int]]:
        calls: list[int] = []

        @typed.once
        def view(request: HttpRequest) -> HttpResponse:
            calls.append(1)
            if status != 303:
                return HttpResponse(status=status)
            answer = HttpResponseRedirect("/somewhere")
            answer.status_code = 303
            return answer

        request = RequestFactory().post("/form", fields)
        request.user = user
        request.session = {}
        request._messages = FallbackStorage(request)
        return view(request), calls

    def test_the_second_of_two_clicks_gets_the_answer_of_the_first(self, user: object) -> None:
        first, calls = self.ask(user, once="m", text="a")
        assert calls == [1]
        second, calls = self.ask(user, once="m", text="a")
        assert calls == []
        assert (second.status_code, second["Location"]) == (303, first["Location"])

    def test_other_text_another_mark_or_another_person_is_another_form(self, user: object) -> None:
        self.ask(user, once="m", text="a")
        assert self.ask(user, once="m", text="b")[1] == [1]
        assert self.ask(user, once="n", text="a")[1] == [1]
        assert self.ask(UserFactory(), once="m", text="a")[1] == [1]

    def test_what_was_refused_may_be_sent_again(self, user: object) -> None:
        assert self.ask(user, status=409, once="m")[1] == [1]
        assert self.ask(user, status=409, once="m")[1] == [1]
        assert not IdempotencyKey.objects.exists()

    def test_without_a_mark_nothing_is_kept(self, user: object) -> None:
        assert self.ask(user)[1] == [1]
        assert self.ask(user)[1] == [1]
        assert not IdempotencyKey.objects.exists()


class TestMoments:
    field = MomentField()

    def test_they_are_on_the_facilitys_clock(self) -> None:
        found = self.field.clean("2026-07-01T14:00")
        assert found == datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
        assert self.field.prepare_value(found) == datetime(2026, 7, 1, 14, 0)

    @pytest.mark.parametrize(
        "value", ["soon", "2026-03-29T02:30", "1066-10-14T09:00", "9999-01-01T00:00", "2026-13-01"]
    )
    def test_what_is_no_time_is_refused(self, value: str) -> None:
        with pytest.raises(forms.ValidationError):
            self.field.clean(value)

    def test_of_a_time_that_comes_twice_the_first_is_meant(self) -> None:
        assert self.field.clean("2026-10-25T02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
