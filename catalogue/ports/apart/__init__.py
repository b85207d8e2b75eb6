"""Programs that are run apart: in a process of their own, without database, settings or secrets."""
