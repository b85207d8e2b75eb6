"""Looking into the files of a run: what they hold is kept as rows, pictures of it as artifacts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from catalogue.ground import clock
from catalogue.ground.lifecycle import Outcome, Work, performs
from catalogue.ground.models import Store
from catalogue.ports.engines.contract import RawFile
from catalogue.ports.movers import Place
from catalogue.ports.outcome import Permanent, Transient
from catalogue.ports.pictures import contract, viewer_for
from runs import contents, plans, queries
from runs.models import Artifact, Contents, DataGroup, DataSource, Replica
from runs.workers import places

_NUMBERS = re.compile(r"(\d{1,9})", re.ASCII)
_MOST = 2**63 - 1
ATTEMPTS = 3  # then nobody is called for a picture
_TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv"}
_FIELDS = {
    contract.DETECTOR: "picture",
    contract.TRAINS: "plot",
    contract.MODULES_CSV: "module_table",
    contract.TRAINS_CSV: "train_table",
}


@performs("runs.look", plan=plans.looking)
def look(work: Work) -> Outcome | None:
    """Sources, trains and pictures of one data group. It fails softly: that there is none, and why,
    is what is then found; a person is not called for it."""
    group = (
        DataGroup.objects.select_related("run__proposal__instrument", "run__proposal__cycle")
        .filter(pk=work.job.params["group"], run__isnull=False)
        .first()
    )
    if group is None or (contents.is_current(group) and not work.job.params.get("again")):
        return None
    replica = queries.readable_replica(group)
    if replica is None:
        return Outcome(result={"left out": "There is no copy of it to read."})
    try:
        return _look(work, group, replica)
    except Transient as problem:
        if work.job.attempts < ATTEMPTS:
            raise
        return _in_vain(group, problem.reason)
    except Permanent as problem:
        return _in_vain(group, problem.reason)


def _look(work: Work, group: DataGroup, replica: Replica) -> Outcome:
    store = Store.objects.filter(identifier=settings.ARTIFACT_STORE).first()
    if store is None:
        raise Permanent("There is no store for pictures.", store=settings.ARTIFACT_STORE)
    output = places.work_folder(store, f"look-{work.job.pk}")
    try:
        receipt = viewer_for(settings.FILE_VIEWER).look(
            contract.LookRequest(
                folder=places.folder(places.of_replica(replica)),
                files=tuple(RawFile(*row) for row in contents.files_to_read(group)),
                output_folder=places.folder(output),
                label=f"{group.run}, {group.kind}",
            ),
            progress=work.progress,
            cancelled=work.cancelled,
        )
        pictures = _kept(store, output, group, receipt)
    finally:
        places.maker(store).discard(output)
    result = {"trains": receipt.trains, "sources": len(receipt.sources), "files": len(pictures)}
    return Outcome(lambda: _record(group, receipt, pictures), result)


def _in_vain(group: DataGroup, reason: str) -> Outcome:
    """It says why, and is not taken for up to date."""
    why = f"The files could not be looked into: {reason.rstrip('.')}."
    facts = {"why_none": why, "looked_at": clock.now(), "file_count": 0, "bytes": 0}

    def record() -> None:
        if DataGroup.objects.filter(pk=group.pk).exists():
            Contents.objects.update_or_create(group=group, defaults=facts)

    return Outcome(record, {"in vain": reason})


def _kept(
    store: Store, folder: Place, group: DataGroup, receipt: contract.LookReceipt
) -> dict[str, dict[str, Any]]:
    """The pictures in the store of artifacts, under names that their content has part in: made
    again from the same files they are the same."""
    found: dict[str, dict[str, Any]] = {}
    for made in (file for pictures in receipt.pictures for file in pictures.files):
        with places.reader(store).open_read(folder, made.path) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != made.sha256:
            raise Permanent("A picture is not what the viewer said.", file=made.path)
        name = f"{group.pk}-{made.sha256[:16]}-{made.path}"
        places.maker(store).write(places.place(store, contents.FOLDER), {name: content})
        found[made.path] = {
            "store": store, "path": f"{contents.FOLDER}/{name}", "bytes": len(content),
            "sha256": made.sha256, "content_type": _TYPES[made.path.rpartition(".")[2]],
        }  # fmt: skip
    return found


def _record(
    group: DataGroup, receipt: contract.LookReceipt, pictures: Mapping[str, Mapping[str, Any]]
) -> None:
    """In the place of what was found before. The pictures of then stay: their rows are what the
    catalogue knows them by."""
    row = DataGroup.objects.select_for_update().filter(pk=group.pk, run=group.run).first()
    if row is None:
        return  # deleted while it was looked at
    links = {_FIELDS[name]: _artifact(group, facts) for name, facts in pictures.items()}
    found, _ = Contents.objects.update_or_create(
        group=row, defaults={**dict.fromkeys(_FIELDS.values()), **_facts(group, receipt), **links}
    )
    found.sources.all().delete()
    ordered = sorted(receipt.sources, key=lambda s: (s.section, _as_counted(s.name)))
    sources = {(s.section, _plain(s.name)): s for s in ordered}
    rows = (
        DataSource(contents=found, section=section, name=name, trains=s.trains, keys=_keys(s))
        for (section, name), s in sources.items()
    )
    DataSource.objects.bulk_create(rows, batch_size=500)


def _as_counted(name: str) -> list[tuple[int, str]]:
    """Module 2 before module 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _NUMBERS.split(name)]


def _keys(source: contract.Source) -> list[list[Any]]:
    return [[_plain(key.name), key.dtype, list(key.shape)] for key in source.keys]


def _artifact(group: DataGroup, facts: Mapping[str, Any]) -> Artifact:
    """The row of a picture; there is one for each content, however often it is made."""
    made, _ = Artifact.objects.get_or_create(
        store=facts["store"],
        path=facts["path"],
        defaults={
            **facts, "run": group.run, "proposal": group.run.proposal, "kind": "preview",
            "created_at": clock.now(),
        },
    )  # fmt: skip
    return made


def _facts(group: DataGroup, receipt: contract.LookReceipt) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "file_count": group.file_count,
        "bytes": group.bytes,
        "looked_at": clock.now(),
        "trains": receipt.trains,
        "first_train": _train(receipt.first_train),
        "last_train": _train(receipt.last_train),
        "missing": min(receipt.missing, _MOST),
        "gaps": [[gap.first, gap.last] for gap in receipt.gaps],
        "source_count": len(receipt.sources),
        "unread": [_plain(text) for text in receipt.unread[:20]],
        "why_none": receipt.why_none,
        "detector": "", "unit": "", "modules": [], "low": None, "high": None,
        "trains_with_images": 0, "trains_read": 0, "frames": 0,
    }  # fmt: skip
    for shown in receipt.pictures:
        facts |= {
            "detector": _plain(shown.detector),
            "unit": _plain(shown.unit)[:32],
            "modules": [
                {"number": m.number, "frames": m.frames, "mean": m.mean, "low": m.low,
                 "high": m.high, "bad_pixels": m.bad_pixels}
                for m in shown.modules
            ],
            "low": shown.low,
            "high": shown.high,
            "trains_with_images": shown.trains,
            "trains_read": shown.trains_read,
            "frames": shown.frames,
        }  # fmt: skip
    return facts


def _train(number: int) -> int | None:
    """A broken file may have a number that is none, larger than any column."""
    return number if 0 < number <= _MOST else None


def _plain(text: str) -> str:
    """As a database can hold it."""
    return text.replace("\x00", "")[:255]
