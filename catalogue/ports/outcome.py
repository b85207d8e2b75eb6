"""How every port says that it failed; the jobs, which are below the ports, define the words."""

from catalogue.ground.outcome import Cancelled, Permanent, PortError, Transient

__all__ = ["Cancelled", "Permanent", "PortError", "Transient"]
