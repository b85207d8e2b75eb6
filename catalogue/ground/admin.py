"""The reference tables, plainly: what the facility is made of, and who has which office.

Nothing with a lifecycle is here: states are changed by moves, on the pages of the site. Who may
open and change a table is asked of `access`, like everywhere; Django's own permissions and groups
are not used, so they cannot give anybody anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from oauth2_provider.admin import (
    access_token_model,
    application_model,
    grant_model,
    id_token_model,
    refresh_token_model,
)
from simple_history.admin import SimpleHistoryAdmin

from catalogue.ground import access, clock, journal, reference
from catalogue.ground.actor import Actor
from catalogue.ground.identity import accounts
from catalogue.ground.models import (
    Appointment,
    CalibrationKind,
    CalibrationParameter,
    Cycle,
    DataKind,
    DataType,
    Detector,
    DetectorInstrument,
    DetectorType,
    ExperimentType,
    Facility,
    Instrument,
    InstrumentType,
    ParameterType,
    Recorded,
    Route,
    SampleType,
    Store,
    Technique,
    Topic,
    Unit,
    User,
)
from catalogue.ground.models.facility import KINDS

if TYPE_CHECKING:  # what the types know as generic is no generic while the site runs
    _Plain = admin.ModelAdmin[Any]
    _Form = forms.ModelForm[Any]
    _History = admin.ModelAdmin[Any]
    Within = admin.TabularInline[Any, Any]
    People = UserAdmin[User]
else:
    _Plain = admin.ModelAdmin
    _Form = forms.ModelForm
    _History = SimpleHistoryAdmin
    Within = admin.TabularInline
    People = UserAdmin


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the reader holds `permission` everywhere. The rules are `access`'s: the flag "staff"
    and Django's own permissions give nobody anything here."""
    user = request.user
    if not isinstance(user, User):
        return False
    today = clock.now().astimezone(clock.facility_zone()).date()
    return permission in access.facility_wide(Actor.of(user, face="admin"), today)


class ByRules:
    """Tables that those keep who hold `kept_by` everywhere; what is done is in the journal."""

    kept_by = access.ADMINISTER

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, self.kept_by)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, self.kept_by)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, self.kept_by)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, self.kept_by)


class Told:
    """What is done here stands in the journal, like everything else."""

    def log_addition(self, request: HttpRequest, obj: Recorded, message: Any) -> Any:
        _tell(request, obj, "enter", message)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Recorded, message: Any) -> Any:
        _tell(request, obj, "change", message)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            _tell(request, row, "delete", [])
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def _tell(request: HttpRequest, row: Model, act: str, message: Any) -> None:
    user = request.user
    if not isinstance(row, Recorded) or not isinstance(user, User):
        return
    changed = [
        field
        for part in (message if isinstance(message, list) else [])
        for told in part.values()
        for field in told.get("fields", ())
    ]
    now = {name: getattr(row, name) for name in _WORTH if hasattr(row, name)}
    facts = {"fields": changed, **now}
    journal.write(row, act, by=Actor.of(user, face="admin"), facts=facts)


# Of rows that give rights: what they give.
_WORTH = ("role", "until", "is_active", "is_staff", "is_superuser", "is_service")


class Table(ByRules, Told, _Plain):
    """A table of reference without a history of its own."""


admin.site.site_header = "Lightkeeper: reference tables"
admin.site.site_title = "Lightkeeper"
admin.site.index_title = "Reference tables"

# They register themselves when they are imported. Programs have pages, whose verbs tell the
# journal; tokens are nobody's to look at; Django's groups would look as if they gave rights.
admin.site.unregister(
    [application_model, access_token_model, grant_model, id_token_model, refresh_token_model, Group]
)


class ReliedOn(_Form):
    """What rows of the apps are built on stays, here as through every other face."""

    def clean(self) -> Any:
        found = super().clean()
        stored = type(self.instance)._default_manager.filter(pk=self.instance.pk).first()
        for name in self.changed_data if stored is not None else ():
            why = reference.objection_to(stored, name)
            if why is not None:
                self.add_error(name, why)
        return found


class Kept(ByRules, Told, _History):
    """A table whose rows tell who changed them, when, and what stood there before, whichever way
    they were changed. Looked at here; an older row is entered again by hand, as any other."""

    form = ReliedOn

    object_history_list_template = "admin/history_list.html"
    object_history_form_template = "admin/history_row.html"


@admin.register(Instrument)
class InstrumentAdmin(Kept):
    list_display = ("identifier", "name", "topic")
    list_select_related = ("topic",)
    search_fields = ("identifier", "name")


@admin.register(Cycle)
class CycleAdmin(Kept):
    kept_by = access.PEOPLE
    list_display = ("identifier", "instrument", "begin_at", "end_at")
    list_select_related = ("instrument",)


@admin.register(Technique)
class TechniqueAdmin(Kept):
    list_display = ("identifier", "name")
    search_fields = ("identifier", "name")


@admin.register(ExperimentType)
class ExperimentTypeAdmin(Kept):
    list_display = ("name", "is_dark", "calibrates_by_itself")


@admin.register(Store)
class StoreAdmin(Kept):
    list_display = ("identifier", "name", "tier", "agent", "mount", "rank", "prepares_folders")
    list_filter = ("tier",)


@admin.register(Route)
class RouteAdmin(Kept):
    list_display = ("purpose", "kind", "source", "destination")
    list_select_related = ("source", "destination")


class UsedAt(ByRules, Within):
    model = DetectorInstrument
    extra = 0


@admin.register(Detector)
class DetectorAdmin(Kept):
    list_display = ("identifier", "name", "number_of_modules", "available")
    search_fields = ("identifier", "name")
    inlines = (UsedAt,)


@admin.register(
    DetectorType, CalibrationKind, CalibrationParameter, DataType, Facility, InstrumentType,
    ParameterType, SampleType, Topic, Unit,
)  # fmt: skip
class TermAdmin(Kept):
    """The facility's words."""

    search_fields = ("name",)


@admin.register(DataKind)
class DataKindAdmin(Kept):
    """The kinds that the code knows keep their identifier: data groups are found by it."""

    list_display = ("identifier", "name", "available")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        known = dict(KINDS)
        return ("identifier",) if getattr(obj, "identifier", "") in known else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is not None and getattr(obj, "identifier", "") in dict(KINDS):
            return False
        return super().has_delete_permission(request, obj)


class ByAdministrators:
    """Accounts and offices decide who may do what: only superusers change them, since whoever
    could would give themselves the rest. That is the one thing that being a superuser gives: a new
    installation has nobody yet who holds an office. What they do stands in the journal."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser or may(request, access.PEOPLE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser


@admin.register(User)
class PersonAdmin(ByAdministrators, Told, People):
    """People and programs; what they may do is said by their offices, below."""

    list_display = ("username", "first_name", "last_name", "email", "is_service", "is_active")
    list_filter = ("is_service", "is_active", "is_staff")
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active", "is_service")}),
        (
            "Person",
            {"fields": ("first_name", "last_name", "email", "orcid", "affiliation")},
        ),
        ("These tables", {"fields": ("is_staff", "is_superuser")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """An account is closed and opened by the verbs, which end what acts in its name."""
        wanted = obj.is_active
        if change and "is_active" in form.changed_data:
            obj.is_active = not wanted
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            assert isinstance(request.user, User)  # has_change_permission
            verb = accounts.reopen if wanted else accounts.close
            verb(obj, by=Actor.of(request.user, face="admin"), reason="In the reference tables.")


@admin.register(Appointment)
class AppointmentAdmin(ByAdministrators, Told, _Plain):
    list_display = ("user", "role", "instrument", "until", "given_by", "given_for")
    list_filter = ("role", "instrument", "given_by")
    readonly_fields = ("given_by", "given_for")
    list_select_related = ("user", "instrument")
    autocomplete_fields = ("user",)
