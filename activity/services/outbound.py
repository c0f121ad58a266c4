"""Sending to addresses that users name, without letting them reach what only this machine's network can."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

TIMEOUT = urllib3.Timeout(connect=5, read=10)  # seconds
MOST_READ = 1000  # bytes of an answer, for people to see what was wrong
TUNNELS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""Of IPv6: addresses that stand for one of IPv4."""


class Unreachable(Exception):
    """Nobody answered, or nobody may be asked there. The text says why."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP status, how many seconds to wait where it was said, and how the answer's text begins."""

    status: int
    retry_after: int | None
    text: str


def post(url: str, *, body: bytes, headers: Mapping[str, str], private_hosts: Collection[str] = ()) -> Answered:
    """POST to an address of somebody else's. No redirect is followed, no proxy is used.

    The connection itself looks at whom it is made to, so that no name can lead into the own network a moment after it was
    looked up; `private_hosts` are names and addresses there that may be reached. Raises Unreachable.
    """
    parts = urlsplit(url)
    pools = urllib3.PoolManager(num_pools=1, timeout=TIMEOUT)
    if parts.hostname not in private_hosts:
        pools.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicTlsPool}
    try:
        found = pools.request(
            "POST", url, body=body, headers=dict(headers), redirect=False, retries=False, preload_content=False
        )
        text = found.read(MOST_READ).decode(errors="replace")
        waits = found.headers.get("Retry-After", "")
        found.close()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
        raise Unreachable(str(problem)[:300] or type(problem).__name__) from problem
    finally:
        pools.clear()
    return Answered(
        found.status, int(waits) if waits.isascii() and waits.isdecimal() else None, text.replace("\x00", "")
    )


def is_public(address: str) -> bool:
    """Whether anybody on the internet could reach this IP address: not the own machine, its network or a tunnel to it."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6 and found.ipv4_mapped:
        found = found.ipv4_mapped
    return (
        found.is_global
        and not found.is_multicast
        and not any(found in net for net in TUNNELS if net.version == found.version)
    )


def _connected(connection: Any) -> socket.socket:
    """Connect to a public address of the host, and to no other."""
    host, port = connection.host, connection.port
    try:
        found = [row[4][0] for row in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)]
    except OSError as problem:
        raise urllib3.exceptions.NewConnectionError(connection, f"{host} is not known: {problem}") from problem
    public = [str(address) for address in found if is_public(str(address))]
    if not public:
        raise urllib3.exceptions.NewConnectionError(connection, f"{host} lies in a private network")
    try:
        return create_connection((public[0], port), connection.timeout, socket_options=connection.socket_options)
    except OSError as problem:
        raise urllib3.exceptions.NewConnectionError(connection, f"{host} does not answer: {problem}") from problem


class _PublicConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _PublicTlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTlsConnection
