"""The catalogue of calibration constants as it is read, chosen from and added to.

`reading` what is in it · `choosing` rows to and from the pure rules of `catalogue.constants` ·
`entering` the verbs · `engine` what our own calibrations take from it and add to it.
"""

from runs.constants.engine import add, as_input, behind, select

__all__ = ["add", "as_input", "behind", "select"]
