"""The field's words and ours, each explained once: on a page of them, and beside them on others."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import slugify


@dataclass(frozen=True, slots=True)
class Term:
    """`says` explains it in a sentence or two; `more` names related terms."""

    word: str
    says: str
    more: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        return slugify(self.word)


_TERMS = (
    Term("run", "A stretch of data taking under conditions that stay the same. Its number counts "
         "within its proposal; its files lie in the folder r0082.", ("train", "run type")),
    Term("train", "One pulse train of the accelerator; ten come in a second. Files count the data "
         "by train, so a run has a first and a last one.", ("run",)),
    Term("run type", "What a run was for, such as “LCP SFX”, “Test DAQ” or “Dark”. Each proposal "
         "has its own list.", ("run", "dark")),
    Term("dark", "A run without beam, from which the constants that correct other runs are made. "
         "It is never calibrated itself.", ("constants", "calibration")),
    Term("beamtime", "A block of beam that a proposal was given. There can be several; the last "
         "one's end is where most terms are counted from.", ("proposal", "cycle")),
    Term("cycle", "A proposal round, such as 202601. A beamtime may lie outside its dates.",
         ("beamtime",)),
    Term("proposal", "An accepted plan for an experiment: the unit of access, of embargo and of "
         "publication. Its folder is p and six digits.", ("beamtime", "team")),
    Term("team", "The people of a proposal. A role says what each may do; data access says whether "
         "they read the data or work on them.", ("proposal",)),
    Term("mark", "Good, Unclear or Not interesting: what the team thinks of a run. It decides what "
         "is copied, calibrated, kept and opened. It can be changed until data were removed.",
         ("policy", "embargo")),
    Term("replica", "The files of one kind of one run in one store. The same data have several.",
         ("store", "verified")),
    Term("store", "A place that holds data: online beside the instrument, offline for analysis, "
         "mass storage, tape.", ("replica",)),
    Term("verified", "Read back where it lies, with checksums that match the catalogue's. Only "
         "verified copies count before another one is removed.", ("replica", "checksum")),
    Term("checksum", "A number computed from every byte of a file (sha256). If one byte differs, "
         "so does the number.", ("verified",)),
    Term("scheduled for removal", "A copy that the policy no longer keeps and that goes on the day "
         "shown. Until then a new mark or a hold keeps it.", ("policy", "hold")),
    Term("policy", "The dated rules that say how long which data are kept where. What a page says "
         "of the future comes from them.", ("hold", "scheduled for removal")),
    Term("hold", "A person's stop on the removal of data, with a reason, until it is lifted.",
         ("policy",)),
    Term("held job", "Work that cannot go on without a person. It says why, and who must act; "
         "nothing half-made is left.", ("job",)),
    Term("job", "A piece of work that the catalogue does by itself, such as a copy. It is written "
         "down before it is begun, so none is lost.", ("held job",)),
    Term("calibration", "The correction of raw data (RAW) to data for analysis (PROC).",
         ("constants", "dark")),
    Term("constants", "What the calibration corrects with: offsets, gains, bad pixels, each valid "
         "from a time on and for one detector unit.", ("calibration", "dark")),
    Term("embargo", "The time in which only the team and staff read the data: until three calendar "
         "years after the last beamtime, unless it is ended earlier or postponed.",
         ("open data", "release")),
    Term("release", "The end of the embargo: from then on everybody can read the open part.",
         ("embargo",)),
    Term("open data", "RAW and PROC of Good and Unclear runs of a released proposal; to be read, "
         "used and cited without an account.", ("release", "DOI")),
    Term("DOI", "The name under which the data are cited for good. Findable: it can be searched "
         "for; internal: it only resolves.", ("open data",)),
    Term("review", "Staff look through a finished proposal: runs without a mark, jobs not done, "
         "files without a verified copy. Then its DOI is made.", ("DOI",)),
    Term("package", "The open data of a proposal as one download that other archives can check.",
         ("open data",)),
)  # fmt: skip

TERMS: dict[str, Term] = {term.word: term for term in _TERMS}


def in_order() -> list[Term]:
    """All terms, by the alphabet."""
    return sorted(_TERMS, key=lambda term: term.word.lower())
