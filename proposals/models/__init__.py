"""A proposal with its team, beamtimes, experiments, samples, plan and DAQ configuration."""

from proposals.models.content import Beamtime, Experiment, Membership, Sample
from proposals.models.daq import DataSourceGroup, DataSourceGroupVersion, RemoteDevice
from proposals.models.plan import DataManagementPlan
from proposals.models.preparation import Drift, FolderRule, GroupRule, Preparation
from proposals.models.proposal import PREPARATION, REVIEWED, RUNNING, Proposal

__all__ = [
    "PREPARATION",
    "REVIEWED",
    "RUNNING",
    "Beamtime",
    "DataManagementPlan",
    "DataSourceGroup",
    "DataSourceGroupVersion",
    "Drift",
    "Experiment",
    "FolderRule",
    "GroupRule",
    "Membership",
    "Preparation",
    "Proposal",
    "RemoteDevice",
    "Sample",
]
