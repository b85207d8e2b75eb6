"""Groups and accounts of a beamtime, in whatever directory the facility keeps them."""

from django.conf import settings

from catalogue.ports.directory.command import CommandDirectory
from catalogue.ports.directory.contract import Configured, Directory, Group
from catalogue.ports.directory.null import NullDirectory
from catalogue.ports.outcome import Permanent

__all__ = ["CommandDirectory", "Configured", "Directory", "Group", "NullDirectory", "directory"]


def directory() -> Directory:
    """The facility's directory. Without one the null directory stands in, and says so."""
    kind = settings.DIRECTORY
    if not kind:
        return NullDirectory()
    if kind == "command":
        return CommandDirectory(settings.DIRECTORY_COMMAND, timeout=settings.DIRECTORY_TIMEOUT)
    if kind != "ldap":
        raise Permanent(f"DIRECTORY is {kind!r}; it may be empty, ldap or command")
    try:
        # why: python-ldap belongs to the extra `ldap`; without it there are the other two
        from catalogue.ports.directory.ldap_directory import LdapDirectory, Server
    except ImportError:
        raise Permanent(
            "DIRECTORY is ldap, and python-ldap is not installed (extra ldap)"
        ) from None
    server = Server(
        uri=settings.DIRECTORY_LDAP_URI,
        bind_dn=settings.DIRECTORY_LDAP_BIND_DN,
        password=settings.DIRECTORY_LDAP_PASSWORD,
        start_tls=settings.DIRECTORY_LDAP_START_TLS,
        ca_file=settings.DIRECTORY_LDAP_CA_FILE,
        timeout=settings.DIRECTORY_TIMEOUT,
    )
    numbers = range(settings.DIRECTORY_GID_FIRST, settings.DIRECTORY_GID_LAST + 1)
    return LdapDirectory(
        server,
        groups=settings.DIRECTORY_LDAP_GROUPS,
        people=settings.DIRECTORY_LDAP_PEOPLE,
        numbers=numbers,
    )
