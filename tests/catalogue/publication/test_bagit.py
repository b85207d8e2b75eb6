from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import bagit as judge
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalogue.publication import bagit
from catalogue.publication.bagit import ManifestLine, UnsafePathError, tag_files
from tests.catalogue.publication.examples import write
from tests.catalogue.publication.judges import check_sums, validate_bag

DAY = date(2026, 11, 22)
CONTENT = b"bytes"

# Names as people and programs make them: letters of any script, and what each format treats apart.
names = st.text(
    st.sampled_from("%#?&<>\"'|*:;,=+@~ \t\r\n\u00a0\u2028é")
    | st.characters(codec="utf-8", exclude_characters="/\0"),
    min_size=1,
    max_size=12,
)
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "data/" + "/".join(parts))


def line(path: str, content: bytes = CONTENT) -> ManifestLine:
    return ManifestLine(
        path,
        len(content),
        hashlib.sha256(content).hexdigest(),
        hashlib.sha512(content).hexdigest(),
    )


def bag_of(folder: Path, contents: dict[str, bytes], **more) -> dict[str, bytes]:
    """A bag on disk: its payload and, beside it, what `tag_files` made."""
    lines = [line(path, content) for path, content in contents.items()]
    tags = tag_files(lines, {}, bagging_date=DAY, **more)
    write(folder, contents | tags)
    return tags


@pytest.mark.parametrize("version", ["0.97", "1.0"])
def test_a_bag_is_valid_for_others(tmp_path, version):
    contents = {"data/a.h5": b"a", "data/raw/r0001/b c.h5": b"bc", "data/empty": b""}
    extra = {"metadata/datacite.xml": b"<resource/>", "note é.txt": b"x"}
    bag_of(
        tmp_path,
        contents,
        version=version,
        algorithms=("sha256", "sha512"),
        extra_tag_files=extra,
    )
    bag = validate_bag(tmp_path)
    assert bag.version_info == tuple(int(part) for part in version.split("."))
    assert bag.info == {"Bagging-Date": "2026-11-22", "Payload-Oxum": "3.3"}
    assert set(bag.tagfile_entries()) == {
        *("metadata/datacite.xml", "note é.txt", "bagit.txt", "bag-info.txt"),
        *("manifest-sha256.txt", "manifest-sha512.txt"),
    }
    for manifest in ("manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt"):
        check_sums(tmp_path, manifest)


@pytest.mark.parametrize("victim", ["data/a.h5", "bag-info.txt", "manifest-sha256.txt"])
def test_one_changed_byte_anywhere_is_found(tmp_path, victim):
    bag_of(tmp_path, {"data/a.h5": b"a"})
    target = tmp_path / victim
    content = bytearray(target.read_bytes())
    content[-2 if len(content) > 1 else 0] ^= 1
    target.write_bytes(content)
    with pytest.raises(judge.BagError):
        validate_bag(tmp_path)


def test_an_empty_payload_still_has_its_manifest(tmp_path):
    tags = bag_of(tmp_path, {})
    (tmp_path / "data").mkdir()
    assert tags["manifest-sha256.txt"] == b""
    validate_bag(tmp_path)


@pytest.mark.parametrize(
    ("version", "name", "written"),
    [
        ("1.0", "data/50%.h5", "data/50%25.h5"),
        ("1.0", "data/%0A", "data/%250A"),
        ("1.0", "data/a\r\nb", "data/a%0D%0Ab"),
        ("0.97", "data/50%.h5", "data/50%.h5"),
        ("0.97", "data/%25", "data/%25"),
        ("0.97", "data/a\nb", "data/a%0Ab"),
    ],
)
def test_a_manifest_encodes_what_its_version_says(version, name, written):
    tags = tag_files([line(name)], {}, bagging_date=DAY, version=version)
    assert tags["manifest-sha256.txt"].decode() == f"{line(name).sha256}  {written}\n"


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(paths, min_size=1, max_size=4))
def test_manifests_name_every_file_once_and_agree_with_the_oxum(chosen):
    """By RFC 8493 alone: each line of the 1.0 manifest decodes to one file of the payload."""
    lines = [line(path, path.encode()) for path in chosen]
    try:
        tags = tag_files(lines, {}, bagging_date=DAY, algorithms=("sha256", "sha512"))
    except UnsafePathError:
        assume(False)
    for algorithm in ("sha256", "sha512"):
        found = {}
        for row in tags[f"manifest-{algorithm}.txt"].decode().split("\n")[:-1]:
            digest, written = row.split("  ", 1)
            assert not re.search(r"%(?!25|0A|0D)", written)
            found[unquote(written)] = digest
        assert found == {it.path: getattr(it, algorithm) for it in lines}
    octets, count = re.search(rb"Payload-Oxum: (\d+)\.(\d+)\n", tags["bag-info.txt"]).groups()
    assert (int(octets), int(count)) == (sum(it.bytes for it in lines), len(lines))


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(name=names, version=st.sampled_from(["0.97", "1.0"]))
def test_whatever_a_file_is_called_bagit_finds_it_or_we_refuse(tmp_path_factory, name, version):
    path = f"data/{name}"
    try:
        bagit.check_path(path, version)
    except UnsafePathError:
        assume(False)
    # Limits of that reader (bagit 1.9): no %25, and no more than two breaks of a kind in a name.
    assume(version == "0.97" or "%" not in name)
    assume(name.count("\n") <= 2 and name.count("\r") <= 2)
    assume(len(name.encode()) < 200)
    folder = tmp_path_factory.mktemp("bag")
    bag_of(folder, {path: CONTENT}, version=version)
    assert list(validate_bag(folder).payload_entries()) == [path]


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../data/a", "data/../../a", "data/./a", "data//a", "data/", ""),
        *("~/.bashrc", "~root/a", "*data/a", "data/..\\..\\a", "data/C:\\a", "data/a\0b"),
        *("data/a\x1bb", "data/a\x85b", "data/\ud800", "data/a ", "data/a\u00a0", "data/a\n"),
    ],
)
def test_hostile_paths_are_refused(path):
    with pytest.raises(UnsafePathError) as refusal:
        bagit.check_path(path)
    assert refusal.value.path == path


@pytest.mark.parametrize("name", ["data/%0A", "data/a%0db"])
def test_the_older_version_refuses_what_it_would_read_as_a_line_break(name):
    bagit.check_path(name, "1.0")
    with pytest.raises(UnsafePathError):
        bagit.check_path(name, "0.97")


@pytest.mark.parametrize(
    "pair",
    [
        ("data/a", "data/a"),
        ("data/e\u0301", "data/\u00e9"),
        ("data/a", "data/a/b"),
        ("data/a/b/c", "data/a/b"),
    ],
)
def test_two_paths_that_cannot_lie_side_by_side_are_refused(pair):
    with pytest.raises(UnsafePathError):
        tag_files([line(path) for path in pair], {}, bagging_date=DAY)


def test_payload_and_tag_files_keep_to_their_places():
    with pytest.raises(UnsafePathError, match="under data/"):
        tag_files([line("raw/a")], {}, bagging_date=DAY)
    for path in ("data/x", "data", "bagit.txt", "fetch.txt", "Manifest-md5.txt", "../x"):
        with pytest.raises(UnsafePathError):
            tag_files([], {}, bagging_date=DAY, extra_tag_files={path: b""})


@pytest.mark.parametrize("label", ["Payload-Oxum", "bagging-date", "A: B", "", "A\nB"])
def test_labels_that_are_ours_or_malformed_are_refused(label):
    with pytest.raises(ValueError, match="label"):
        tag_files([], {label: "x"}, bagging_date=DAY)


def test_values_keep_to_their_line(tmp_path):
    (tmp_path / "data").mkdir()
    info = {"External-Description": "one\n two\r\nPayload-Oxum: 9.9", "Contact-Name": ["a", "b"]}
    write(tmp_path, tag_files([], info, bagging_date=DAY))
    bag = validate_bag(tmp_path)
    assert bag.info["External-Description"] == "one two Payload-Oxum: 9.9"
    assert bag.info["Contact-Name"] == ["a", "b"]
    assert bag.info["Payload-Oxum"] == "0.0"


@pytest.mark.parametrize(
    "wrong",
    [
        ManifestLine("data/a", 1, "0" * 63),
        ManifestLine("data/a", 1, "0" * 64),
        ManifestLine("data/a", -1, "0" * 64, "0" * 128),
    ],
)
def test_a_line_without_what_its_manifest_needs_is_refused(wrong):
    with pytest.raises(ValueError, match="data/a"):
        tag_files([wrong], {}, bagging_date=DAY, algorithms=("sha256", "sha512"))
    with pytest.raises(ValueError, match="manifest"):
        tag_files([], {}, bagging_date=DAY, algorithms=())
