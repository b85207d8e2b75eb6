"""What can be set for the engine, and what holds where nothing is set.

The receipt carries the configuration in full, defaults included, so that a later change of a
default does not change what an old report says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalogue.ports.outcome import Permanent

DARK: Mapping[str, Any] = {
    # Fewer frames than this in a memory cell give no usable noise.
    "minimum_frames": 8,
    # ADU; a pixel outside is bad, whatever its neighbours do.
    "thresholds_offset_hard": [1000.0, 12000.0],
    "thresholds_noise_hard": [1.0, 40.0],
    # Times the spread within the module and memory cell.
    "thresholds_offset_sigma": 6.0,
    "thresholds_noise_sigma": 8.0,
}
CORRECTION: Mapping[str, Any] = {
    # Write image.mask from the constant BadPixels, which is then needed for every unit.
    "mask_bad_pixels": True,
    # gzip level of image.mask and image.gain; image.data is not compressed.
    "compression": 1,
}


def complete(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """`given` over `defaults`; Permanent for a name or a type of value the engine does not know."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise Permanent(
            f"the engine has no setting {', '.join(unknown)}",
            unknown=unknown, known=sorted(defaults),
        )  # fmt: skip
    whole = {**defaults, **given}
    for name, default in defaults.items():
        if not _alike(whole[name], default):
            raise Permanent(
                f"the setting {name} must be like {default!r}, not {whole[name]!r}", setting=name
            )
    return whole


def _alike(value: object, default: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, list):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(default)
            and all(_alike(a, b) for a, b in zip(value, default, strict=True))
        )
    if isinstance(default, int):
        return isinstance(value, int)
    return isinstance(value, int | float)
