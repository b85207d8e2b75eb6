"""Runs, their marks, their files and where these are; calibrations, dark runs and packages."""

from runs.models.calibration import Artifact, Calibration, DarkRequest
from runs.models.contents import Contents, DataSource
from runs.models.data import DataGroup, File, FileList, Replica
from runs.models.external import ExternalProcessing, Parameter, Report
from runs.models.package import Package
from runs.models.run import Assessment, CauseTag, Run, RunNumber
from runs.models.use import StoreCount, StoreUse

__all__ = [
    "Artifact",
    "Assessment",
    "Calibration",
    "CauseTag",
    "Contents",
    "DarkRequest",
    "DataGroup",
    "DataSource",
    "ExternalProcessing",
    "File",
    "FileList",
    "Package",
    "Parameter",
    "Replica",
    "Report",
    "Run",
    "RunNumber",
    "StoreCount",
    "StoreUse",
]
