"""The software whose version can change a byte of what the engine makes."""

from __future__ import annotations

import platform
import zlib

import h5py
import numpy as np
import PIL
import reportlab

from catalogue.ports.engines.embedded import NAME, VERSION


def versions() -> dict[str, str]:
    """Name to version, the engine first."""
    return {
        f"engine {NAME}": VERSION,
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "h5py": h5py.__version__,
        "HDF5": h5py.version.hdf5_version,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "reportlab": reportlab.__version__,
        "Pillow": PIL.__version__,
        "machine": platform.machine(),
    }
