"""Folders with the mode, group and ACL that a proposal's folders are to have, as far as possible;
what is not possible is told with the command by which somebody with more rights would do it."""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import Sequence

from catalogue.ports.movers import acl as acls
from catalogue.ports.movers import names
from catalogue.ports.movers.contract import FolderFound, Place
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.folders import (
    Folder,
    folder_below,
    folder_if_there,
    make_whole,
    must_be_mounted,
)
from catalogue.ports.outcome import Permanent

_ALL_BITS = 0o7777


def make_folder(
    disk: Disk,
    place: Place,
    *,
    mode: int,
    group: str | int | None,
    acl: Sequence[str] | None = None,
) -> list[str]:
    """See the contract."""
    parts = names.place_components(place)
    if not 0 <= mode <= _ALL_BITS:
        raise Permanent(f"refused the mode {mode:o} for {place}")
    if acl is not None:
        acls.checked(acl)
    with folder_below(disk, place.mount, parts[:-1], make=True) as above:
        if above.status(parts[-1]) is None:
            make_whole(above, parts[-1], mode)
        with above.enter(parts[-1]) as folder:
            # The group first: to change it may clear set-gid. Then the ACL, whose mask is what
            # the mode shows afterwards.
            told = _bring_to_group(folder, group)
            not_done, shown = _bring_to_acl(folder, acl, mode)
            return [*told, *not_done, *_bring_to_mode(folder, shown)]


def look_at_folder(disk: Disk, place: Place) -> FolderFound | None:
    """See the contract."""
    parts = names.place_components(place)
    with folder_if_there(disk, place.mount, parts) as folder:
        if folder is None:
            must_be_mounted(disk, place.mount)
            return None
        status = disk.status_of(folder.descriptor)
        mode = stat.S_IMODE(status.st_mode)
        try:
            entries, owning = acls.read(folder.descriptor)
        except (acls.Unsupported, acls.NotAllowed):
            return FolderFound(mode, status.st_uid, status.st_gid, None)
        if owning is not None:
            mode = mode & ~stat.S_IRWXG | owning << 3
        return FolderFound(mode, status.st_uid, status.st_gid, tuple(entries))


def _bring_to_group(folder: Folder, group: str | int | None) -> list[str]:
    if group is None:
        return []
    shown = names.shown(folder.path)
    try:
        number = group if isinstance(group, int) else grp.getgrnam(group).gr_gid
    except KeyError:
        return [f"{folder.path}: this machine knows no group {names.shown(str(group))}"]
    if folder.disk.status_of(folder.descriptor).st_gid == number:
        return []
    try:
        folder.disk.set_group(folder.descriptor, number)
    except PermissionError:
        why = f"this process may not give it to the group {group}"
        return [f"{folder.path}: {why}; what is left to do: chgrp {number} {shown}"]
    return []


def _bring_to_acl(folder: Folder, acl: Sequence[str] | None, mode: int) -> tuple[list[str], int]:
    """What could not be done, and the mode that the folder shows when all is done."""
    if acl is None:
        return [], mode
    entries, unknown = acls.numbered(acl)
    told = [
        f"{folder.path}: this machine knows no {names.shown(who)} of its ACL" for who in unknown
    ]
    try:
        there, owning = acls.read(folder.descriptor)
        if there != entries or owning not in (None, (mode >> 3) & 7):
            acls.write(folder.descriptor, entries, mode)
    except acls.Unsupported as problem:
        if entries:
            told.append(_left(folder, str(problem), entries, mode))
        return told, mode
    except acls.NotAllowed:
        told.append(_left(folder, "this process may not change its ACL", entries, mode))
        return told, mode
    return told, acls.effective_mode(entries, mode)


def _left(folder: Folder, why: str, entries: Sequence[str], mode: int) -> str:
    return f"{folder.path}: {why}; what is left to do: {acls.command(entries, mode, folder.path)}"


def _bring_to_mode(folder: Folder, mode: int) -> list[str]:
    disk = folder.disk
    status = disk.status_of(folder.descriptor)
    if stat.S_IMODE(status.st_mode) == mode:
        return []
    left = f"what is left to do: chmod {mode:o} {names.shown(folder.path)}"
    try:
        disk.set_mode(folder.descriptor, mode)
    except PermissionError:
        found = stat.S_IMODE(status.st_mode)
        whose = f"it belongs to user {status.st_uid}, this process is user {os.geteuid()}"
        return [f"{folder.path}: its mode is {found:o}, not {mode:o}: {whose}; {left}"]
    found = stat.S_IMODE(disk.status_of(folder.descriptor).st_mode)
    if found == mode:
        return []
    if mode & ~found == stat.S_ISGID:
        why = f"set-gid needs a process in its group ({status.st_gid})"
    else:
        why = "the file system changed it"
    return [f"{folder.path}: its mode is {found:o}, not {mode:o}: {why}; {left}"]
