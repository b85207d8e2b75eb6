"""Opens addresses as somebody signed in: python3 pages.py <site> <login> <password> < addresses.

Prints the status of each, and ends non-zero if one is not a page, or is the sign-in page again.
"""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar


def sign_in(site: str, login: str, password: str) -> urllib.request.OpenerDirector:
    """A browser of a kind, with a session. Ends the program if the sign-in fails."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    form = browser.open(f"{site}/sign-in", timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    fields = {
        "csrfmiddlewaretoken": token.group(1) if token else "",
        "username": login,
        "password": password,
        "next": "/",
    }
    answer = browser.open(f"{site}/sign-in", urllib.parse.urlencode(fields).encode(), timeout=20)
    if "/sign-in" in answer.url:
        raise SystemExit(f"{login} could not sign in")
    return browser


def main(site: str, login: str, password: str) -> int:
    browser = sign_in(site, login, password)
    bad = 0
    for address in sorted(set(sys.stdin.read().split())):
        try:
            with browser.open(address, timeout=20) as answer:
                said = str(answer.status)
                if "/sign-in" in answer.url:
                    said = "asks to sign in"
        except urllib.error.HTTPError as error:
            said = str(error.code)
        except OSError as error:
            said = str(error)
        print(f"   {said}  {address}")
        bad += said != "200"
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
