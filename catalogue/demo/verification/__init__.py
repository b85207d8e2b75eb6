"""Everything the demo left, looked at again from outside: with other people's tools where there are
any, and with nothing of the site running."""
