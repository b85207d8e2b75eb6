"""The demo facility's DAQ: writes European XFEL run folders whose pixel values mean something."""

from catalogue.demo.daq.detector import expected_signal, noise, offset
from catalogue.demo.daq.spec import DETECTOR, SEQUENCES, TRAINS, Kind, RunSpec
from catalogue.demo.daq.writer import RunWriter, WrittenFile

__all__ = [
    "DETECTOR",
    "SEQUENCES",
    "TRAINS",
    "Kind",
    "RunSpec",
    "RunWriter",
    "WrittenFile",
    "expected_signal",
    "noise",
    "offset",
]
