"""What the catalogue asks of a calibration engine, and what it gets back.

Everything here goes through JSON unchanged (`to_json`, `from_json`), because an engine is another
process, and because a report carries the request it was made from.

Paths: `RawFile.path` is relative to `raw_folder`, `ProducedFile.path` relative to `output_folder`,
`UnitConstant.path` absolute. The caller owns `output_folder`: a work folder for this request, in
which nothing is anybody's before the receipt names it, and which the caller clears.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

Progress = Callable[[float, str], None]
"""Called with a fraction from 0 to 1 and a few words."""
IsCancelled = Callable[[], bool]
"""Asked often; once true, the engine stops and raises `Cancelled`."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A registered file of the run; `sha256` in lower-case hexadecimal."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UnitConstant:
    """One calibration constant version for one detector unit.

    `unit` is its place in the detector (`AGIPD00`), `physical_unit` the piece of hardware that
    stands there, `kind` one of Offset, Noise, BadPixels, `version` the catalogue's name for it.
    """

    unit: str
    physical_unit: str
    kind: str
    version: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ProducedFile:
    """A file the engine made."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MadeConstant:
    """A constant made from a dark run.

    The array is `<dataset>/data` in `file`. `condition` holds the operating parameters by the
    names the constants catalogue uses. `from_trains` is the first and the last train that went in,
    `n_frames` the number of frames over all memory cells.
    """

    unit: str
    physical_unit: str
    kind: str
    file: ProducedFile
    dataset: str
    condition: Mapping[str, float]
    from_trains: tuple[int, ...]
    n_frames: int


@dataclass(frozen=True, slots=True)
class DarkRequest:
    """Make constants from a dark run. `physical_units` maps a unit to its piece of hardware; a
    unit that is not in it is its own name. `label` is printed on the report."""

    raw_folder: str
    files: tuple[RawFile, ...]
    output_folder: str
    detector: str
    units: tuple[str, ...]
    configuration: Mapping[str, Any]
    label: str
    physical_units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DarkReceipt:
    """The constants, the report, and everything needed to do the same again."""

    constants: tuple[MadeConstant, ...]
    report: ProducedFile
    software: Mapping[str, str]
    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """Correct a run's files of `units` with exactly these constants."""

    raw_folder: str
    files: tuple[RawFile, ...]
    output_folder: str
    constants: tuple[UnitConstant, ...]
    configuration: Mapping[str, Any]
    detector: str
    units: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class CorrectionReceipt:
    """The corrected files, the report, and everything needed to do the same again."""

    files: tuple[ProducedFile, ...]
    report: ProducedFile
    software: Mapping[str, str]
    configuration: Mapping[str, Any]
    constants_used: tuple[UnitConstant, ...]


class Engine(Protocol):
    """Something that calibrates. Raises `Transient`, `Permanent` or `Cancelled` and nothing else;
    asked again with the same request after a failure it does the work as if for the first time."""

    @property
    def name(self) -> str:
        """As the setting that chooses it."""
        ...

    @property
    def version(self) -> str:
        """Changes when the same request may give other bytes."""
        ...

    def characterise(
        self, request: DarkRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> DarkReceipt:
        """Constants from a dark run."""
        ...

    def correct(
        self, request: CorrectionRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> CorrectionReceipt:
        """RAW to PROC."""
        ...


Message = DarkRequest | DarkReceipt | CorrectionRequest | CorrectionReceipt
T = TypeVar("T")


def to_json(message: Message) -> dict[str, Any]:
    """Plain values; tuples are lists once they have been through JSON."""
    return asdict(message)


def from_json(kind: type[T], data: object) -> T:
    """The inverse of `to_json`; ValueError names the field that is missing or of another type."""
    value: T = _read(kind, data, kind.__name__)
    return value


def _read(kind: Any, data: object, where: str) -> Any:
    if is_dataclass(kind):
        if not isinstance(data, Mapping):
            raise ValueError(f"{where} is not an object")
        hints = get_type_hints(kind)
        names = [each.name for each in fields(kind)]
        wrong = sorted(set(names) ^ set(data))
        if wrong:
            raise ValueError(f"{where} lacks or does not know: {', '.join(wrong)}")
        values = {name: _read(hints[name], data[name], f"{where}.{name}") for name in names}
        made: Any = kind
        return made(**values)
    if get_origin(kind) is tuple:
        if not isinstance(data, list | tuple):
            raise ValueError(f"{where} is not a list")
        inner = get_args(kind)[0]
        return tuple(_read(inner, each, f"{where}[{i}]") for i, each in enumerate(data))
    expected = get_origin(kind) or kind
    if not isinstance(data, expected) or isinstance(data, bool):
        raise ValueError(f"{where} is not of type {expected.__name__}")
    return data
