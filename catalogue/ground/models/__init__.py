"""The tables that every app uses: people, the facility, constants, DOIs, jobs and the journal."""

from catalogue.ground.models.approvals import Approval
from catalogue.ground.models.conditions import (
    CalibrationKind,
    CalibrationParameter,
    Condition,
    ConditionParameter,
)
from catalogue.ground.models.constants import Constant, ConstantReport, ConstantVersion
from catalogue.ground.models.detectors import (
    PLACE,
    Detector,
    DetectorInstrument,
    DetectorType,
    DetectorUnit,
    UnitPlacement,
)
from catalogue.ground.models.doi import Doi
from catalogue.ground.models.facility import (
    Cycle,
    ExperimentType,
    Instrument,
    Route,
    Store,
    Technique,
)
from catalogue.ground.models.identity import DirectorySync, Identity
from catalogue.ground.models.jobs import IdempotencyKey, Job, JobAttempt
from catalogue.ground.models.journal import Entry, JournalHead, JournalSeal
from catalogue.ground.models.moves import MoveSpec, Thing, move
from catalogue.ground.models.notices import Notice, NoticeChoice, Sign
from catalogue.ground.models.people import Appointment, Token, User
from catalogue.ground.models.programs import Program
from catalogue.ground.models.recorded import Entered, Recorded
from catalogue.ground.models.reference import (
    DataKind,
    DataType,
    Facility,
    InstrumentType,
    ParameterType,
    SampleType,
    Topic,
    Unit,
)

__all__ = [
    "PLACE",
    "Appointment",
    "Approval",
    "CalibrationKind",
    "CalibrationParameter",
    "Condition",
    "ConditionParameter",
    "Constant",
    "ConstantReport",
    "ConstantVersion",
    "Cycle",
    "DataKind",
    "DataType",
    "Detector",
    "DetectorInstrument",
    "DetectorType",
    "DetectorUnit",
    "DirectorySync",
    "Doi",
    "Entered",
    "Entry",
    "ExperimentType",
    "Facility",
    "IdempotencyKey",
    "Identity",
    "Instrument",
    "InstrumentType",
    "Job",
    "JobAttempt",
    "JournalHead",
    "JournalSeal",
    "MoveSpec",
    "Notice",
    "NoticeChoice",
    "ParameterType",
    "Program",
    "Recorded",
    "Route",
    "SampleType",
    "Sign",
    "Store",
    "Technique",
    "Thing",
    "Token",
    "Topic",
    "Unit",
    "UnitPlacement",
    "User",
    "move",
]
