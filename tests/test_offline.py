"""The tests' own block: no test reaches another machine, unless it is marked `network`."""

import os
import socket
import urllib.request

import pytest

ELSEWHERE = "192.0.2.1"  # an address for documentation, which no machine has
BLOCKED = "this test may not use the network"


def test_a_connection_to_another_machine_is_blocked():
    with pytest.raises(OSError, match=f"{BLOCKED}: {ELSEWHERE}") as caught:
        socket.create_connection((ELSEWHERE, 80), timeout=1)
    assert type(caught.value).__name__ == "NetworkBlocked"
    with socket.socket(socket.AF_INET6) as other, pytest.raises(OSError, match=BLOCKED):
        other.connect(("2001:db8::1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as other, pytest.raises(OSError, match=BLOCKED):
        other.sendto(b"x", (ELSEWHERE, 53))


def test_a_name_is_not_looked_up():
    with pytest.raises(OSError, match=f"{BLOCKED}: example.org"):
        socket.getaddrinfo("example.org", 80)


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
        assert socket.getaddrinfo("localhost", 80)


def test_a_program_that_a_test_starts_asks_a_proxy_that_refuses():
    for scheme in ("http", "https"):
        assert urllib.request.getproxies()[scheme] == "http://127.0.0.1:9"
        assert os.environ[f"{scheme}_proxy"] == os.environ[f"{scheme.upper()}_PROXY"]
    with socket.socket() as refuses, pytest.raises(ConnectionRefusedError):
        refuses.connect(("127.0.0.1", 9))


@pytest.mark.network
def test_a_test_that_is_allowed_the_network_is_not_blocked():
    with pytest.raises(OSError, match=r".") as caught:  # nobody answers there
        socket.create_connection((ELSEWHERE, 80), timeout=0.1)
    assert type(caught.value).__name__ != "NetworkBlocked"
