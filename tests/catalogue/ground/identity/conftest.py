"""The provider of `tests.openid`."""

from tests.openid import openid

__all__ = ["openid"]
