"""A real slapd of this run's own: unprivileged port, temporary folder, the machine's schemas."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

SUFFIX = "dc=facility,dc=example"
ROOT, ROOT_PASSWORD = f"cn=root,{SUFFIX}", "root-of-tests"
READER, READER_PASSWORD = f"cn=catalogue,{SUFFIX}", "reader-of-tests"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
PASSWORD = "Correct horse 42"
SCHEMAS = Path("/etc/ldap/schema")

# Binding with a name and no password is answered with success, as by many directories.
CONFIGURATION = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
allow bind_v2 bind_anon_cred bind_anon_dn
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
sizelimit 250
database mdb
suffix "{suffix}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
index objectClass,uid,mail,member,entryUUID eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by users read by * none
limits dn.exact="{reader}" size.prtotal=unlimited
"""


def program() -> str | None:
    """Where slapd is, if it is."""
    return shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin:/usr/local/sbin")


class Slapd:
    """Started with `start`; `add`, `change`, `rename` and `remove` are the directory's staff."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"ldap://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir()
        write_certificates(folder)
        configuration = CONFIGURATION.format(
            schemas=SCHEMAS, folder=folder, suffix=SUFFIX, root=ROOT,
            root_password=ROOT_PASSWORD, reader=READER,
        )  # fmt: skip
        (folder / "slapd.conf").write_text(configuration)

    def start(self) -> None:
        command = [program(), "-h", self.url, "-f", str(self.folder / "slapd.conf"), "-d", "0"]
        self._process = subprocess.Popen([str(part) for part in command])
        until = time.monotonic() + 15
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("slapd did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        import ldap  # why: belongs to the extra `ldap`

        try:
            self.connection()
        except ldap.SERVER_DOWN:
            return False
        return True

    def connection(self) -> Any:
        import ldap

        made = ldap.initialize(self.url)
        made.simple_bind_s(ROOT, ROOT_PASSWORD)
        return made

    # ------------------------------------------------------------ its staff

    def fill(self) -> None:
        """An empty directory with two folders and the catalogue's own account."""
        self.empty()
        self._add(SUFFIX, objectClass=["dcObject", "organization"], dc="facility", o="Facility")
        for name in ("people", "groups"):
            self._add(f"ou={name},{SUFFIX}", objectClass="organizationalUnit", ou=name)
        self._add(
            READER, objectClass=["organizationalRole", "simpleSecurityObject"],
            cn="catalogue", userPassword=READER_PASSWORD,
        )  # fmt: skip

    def empty(self) -> None:
        import ldap

        connection = self.connection()
        try:
            found = connection.search_s(SUFFIX, ldap.SCOPE_SUBTREE, "(objectClass=*)", ["1.1"])
        except ldap.NO_SUCH_OBJECT:
            return
        for dn, _ in sorted(found, key=lambda entry: -len(ldap.dn.str2dn(entry[0]))):
            connection.delete_s(dn)

    def person(self, uid: str, **more: Any) -> str:
        """A person who signs in with `uid` and PASSWORD; their DN."""
        import ldap.dn

        dn = f"uid={ldap.dn.escape_dn_chars(uid)},{PEOPLE}"
        facts = {"cn": uid, "sn": "Lovelace", "givenName": "Ada", "userPassword": PASSWORD}
        facts |= {"mail": f"{uid}@facility.example"} if uid.isascii() and uid.isalnum() else {}
        self._add(dn, objectClass="inetOrgPerson", uid=uid, **(facts | more))
        return dn

    def group(self, name: str, *members: str) -> str:
        """A group; its DN."""
        import ldap.dn

        dn = f"cn={ldap.dn.escape_dn_chars(name)},{GROUPS}"
        self._add(dn, objectClass="groupOfNames", cn=name, member=[ROOT, *members])
        return dn

    def _add(self, dn: str, **facts: Any) -> None:
        lists = {n: v if isinstance(v, list) else [v] for n, v in facts.items()}
        values = [(n, [x.encode() for x in v]) for n, v in lists.items()]
        self.connection().add_s(dn, values)

    def change(self, dn: str, **facts: Any) -> None:
        import ldap

        lists = {n: v if isinstance(v, list) else [v] for n, v in facts.items()}
        changes = [(ldap.MOD_REPLACE, n, [x.encode() for x in v]) for n, v in lists.items()]
        self.connection().modify_s(dn, changes)

    def rename(self, dn: str, rdn: str) -> None:
        self.connection().rename_s(dn, rdn, delold=1)

    def remove(self, dn: str) -> None:
        self.connection().delete_s(dn)


def write_certificates(folder: Path) -> None:
    """A certificate for 127.0.0.1, one that vouches for it, and one of nobody here."""
    for name in ("ca", "other"):
        key, certificate = _certificate(f"{name} of tests")
        _write(folder / f"{name}.pem", certificate)
        if name == "ca":
            server_key, server = _certificate("127.0.0.1", by=(key, certificate))
            _write(folder / "server.pem", server)
            _write_key(folder / "server.key", server_key)


def _certificate(name: str, by: Any = None) -> tuple[Any, Any]:
    from cryptography import x509  # why: only here
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[1].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if by:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return key, made.sign(by[0] if by else key, hashes.SHA256())


def _write(path: Path, certificate: Any) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    path.write_bytes(certificate.public_bytes(Encoding.PEM))


def _write_key(path: Path, key: Any) -> None:
    from cryptography.hazmat.primitives import serialization as s

    pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    path.write_bytes(pem)
    path.chmod(0o600)
