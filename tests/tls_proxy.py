"""TLS before a plain server, with a certificate of a root of its own: for drivers' TLS where the server has none."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class TlsProxy:
    """Where it listens, and the file of the root that its certificate is of."""

    port: int
    root: Path


@contextmanager
def tls_proxy(to_port: int, folder: Path) -> Iterator[TlsProxy]:
    """A running proxy to `to_port` of this machine."""
    root, chain = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = threading.Thread(target=_serve, args=(listening, context, to_port), daemon=True)
    serving.start()
    try:
        yield TlsProxy(listening.getsockname()[1], root)
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        serving.join()


def _serve(listening: socket.socket, context: ssl.SSLContext, to_port: int) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(plain, context, to_port), daemon=True).start()


def _carry(plain: socket.socket, context: ssl.SSLContext, to_port: int) -> None:
    """Both directions in one thread: a TLS connection is not for two threads at once."""
    with (
        suppress(OSError),
        plain,
        socket.create_connection(("127.0.0.1", to_port)) as server,
        context.wrap_socket(plain, server_side=True) as client,
    ):
        client.settimeout(0.005)
        server.settimeout(0.005)
        while _moved(client, server) and _moved(server, client):
            pass


def _moved(source: socket.socket, target: socket.socket) -> bool:
    """Whether the connection goes on, after what `source` had was handed to `target`."""
    try:
        data = source.recv(65_536)
    except TimeoutError:
        return True
    if data:
        target.settimeout(5)
        target.sendall(data)
        target.settimeout(0.005)
    return bool(data)


def _certificates(folder: Path) -> tuple[Path, Path]:
    """A root's certificate, and key and certificate of 127.0.0.1 by that root."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _named("a root for tests"), _named("127.0.0.1")
    root = _built(root_name, root_name, root_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = _built(name, root_name, key).add_extension(here, critical=False)
    root_file, chain_file = folder / "root.pem", folder / "chain.pem"
    root_file.write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain_file.write_bytes(private + leaf.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return root_file, chain_file


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _built(name: x509.Name, by: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )
