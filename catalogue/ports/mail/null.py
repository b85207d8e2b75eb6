"""No mail: what a site has until it is given a server."""

from __future__ import annotations

from catalogue.ports.mail.contract import Letter, Receipt

NOTHING = "No mail server is configured (EMAIL_URL is empty): nothing was sent."


class NullPost:
    """Sends nothing, and says so. The job is done, not held: nobody waits for the letter, and a
    site that wants none shall not collect held jobs."""

    def send(self, letter: Letter) -> Receipt:
        return Receipt(NOTHING, sent=False)
