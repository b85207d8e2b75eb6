"""The template for groups and folders of proposals, for staff to edit."""

from __future__ import annotations

from django.contrib import admin

from catalogue.ground.admin import Table
from proposals.models import FolderRule, GroupRule


@admin.register(GroupRule)
class GroupRuleAdmin(Table):
    """What each proposal's groups are; a change reaches proposals when they are next compared."""

    list_display = ("name", "data_access")


@admin.register(FolderRule)
class FolderRuleAdmin(Table):
    """What each proposal's folders are."""

    list_display = ("__str__", "mode", "group", "acl")
    list_filter = ("store",)
    list_select_related = ("store",)
