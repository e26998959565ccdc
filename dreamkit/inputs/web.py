"""What is at an address: the web, without its traps.  (Notebook 00.)

A redirect leads to the web only, never to a private network (such as a router, or a cloud's
metadata) unless the first address was in one. Nothing waits forever.
"""

import base64
import functools
import http.client
import importlib.metadata
import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request

from ..errors import ImageError

MAX_DOWNLOAD = 64 * 2**20  # bytes
TIMEOUT = 15  # seconds without a byte
PATIENCE = 60  # seconds after which an answer must have begun, and each byte must keep to …
SLOWEST = 20_000  # … this many bytes per second on average
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # stands for the IPv4 address in its last 32 bits …
LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")  # … as this does, within a network
HOME = "https://doi.org/10.14500/aro.11051"  # the paper, where the repository isn't known


def is_address(source):
    """True for an http(s) or data address. A file address is a path: see `local_path`."""
    start = source[:8].lower()
    return start.startswith(("http://", "https://")) or (
        start.startswith("data:") and "," in source
    )


def local_path(source):
    """The path in a `file:` address; any other text unchanged."""
    parts = urllib.parse.urlsplit(source) if source[:7].lower() == "file://" else None
    if parts is None or parts.netloc not in ("", "localhost"):
        return source
    return urllib.request.url2pathname(parts.path)


def shortened(address):
    """An address for use in a sentence: data is left out."""
    return address if address[:5].lower() != "data:" else f"{address[:30]}…"


def fetch(address):
    """The bytes of a picture at an http(s) or data address.

    Raises:
        ImageError: they cannot be fetched; the message names the address and the reason.
    """
    body = io.BytesIO()
    try:
        if address[:5].lower() == "data:":
            return _decode_data(address)
        download(address, body, MAX_DOWNLOAD)
    except OverflowError as error:
        problem = f"is over {MAX_DOWNLOAD // 2**20} MB: use a smaller picture."
        raise ImageError(f"{address!r} {problem}") from error
    except Exception as error:  # networks fail in many ways
        problem = f"could not be fetched ({reason(error)})"
        raise ImageError(
            f"{shortened(address)!r} {problem}: check the address and the connection."
        ) from error
    return body.getvalue()


def reason(error):
    """An error of the network as part of a sentence."""
    text = str(error).strip("<>") or type(error).__name__
    return " ".join(text.split()).rstrip(".").replace(". ", "; ")


def _decode_data(address):
    kind, _, body = address.partition(",")
    body = urllib.parse.unquote_to_bytes(body)
    return base64.b64decode(body, validate=True) if kind.lower().endswith(";base64") else body


def download(address, file, limit):
    """Write what is at an http(s) address into an open binary file.

    Args:
        address: its host and path may hold any letters.
        file: anything with a `write`.
        limit: bytes to accept.

    Raises:
        OverflowError: there are more bytes.
        Exception: of many kinds: no connection, a refusal, a redirect that is not followed, no
            answer or hardly any bytes for a minute, or an end that comes too early.
    """
    headers = {"User-Agent": user_agent(), "Accept": "image/*, */*;q=0.5"}
    request = urllib.request.Request(_ascii(address), headers=headers)
    started, received = time.monotonic(), 0
    with _within(PATIENCE, lambda: _opener().open(request, timeout=TIMEOUT)) as response:
        declared = response.length  # None if the server doesn't say
        while received != declared and (block := response.read1(2**16)):
            received += len(block)
            if received > limit:
                raise OverflowError(f"it is over {limit} bytes")
            if time.monotonic() > started + PATIENCE + received / SLOWEST:
                raise TimeoutError(f"it timed out after {received} bytes")
            file.write(block)
    if declared is not None and received < declared:
        raise ConnectionError(f"it ended after {received} of {declared} bytes")


@functools.cache
def user_agent():
    """Who we are and where to find us, in the form that large hosts accept."""
    from .. import __version__

    try:
        about = importlib.metadata.metadata("neural-style-and-deep-dream")
        links = dict(link.split(", ", 1) for link in about.get_all("Project-URL") or ())
    except importlib.metadata.PackageNotFoundError:
        links = {}
    return f"Mozilla/5.0 (compatible; dreamkit/{__version__}; +{links.get('Repository', HOME)})"


def _ascii(address):
    """An address as it is sent: the host in IDNA, other letters as percent signs and digits."""
    parts = urllib.parse.urlsplit(address)
    if not parts.netloc.isascii():
        parts = parts._replace(netloc=parts.netloc.encode("idna").decode())
    return urllib.parse.quote(parts.geturl(), safe="%/:=&?~#+!$,;'@()*[]")


def _within(seconds, call):
    """The result of call(), or a TimeoutError after that many seconds, whatever it waits for."""
    outcome = queue.SimpleQueue()

    def work():
        try:
            outcome.put((call(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"it timed out after {seconds} s without an answer") from None
    if error is not None:
        raise error
    return result


def _opener():
    """An opener for one download, which can open web addresses and nothing else."""
    guard, opener = _Guard(), urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _Web(guard),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the web only."""

    def redirect_request(self, request, file, code, message, headers, address):
        if not address.lower().startswith(("http://", "https://")):
            raise ValueError(f"it redirects to {address!r}, which is not on the web")
        return super().redirect_request(request, file, code, message, headers, address)


class _Web(urllib.request.AbstractHTTPHandler):
    """Connects where the guard permits it."""

    def __init__(self, guard):
        super().__init__()
        self.guard = guard

    def http_open(self, request):
        return self.do_open(functools.partial(self._connection, request, None), request)

    def https_open(self, request):
        secure = ssl.create_default_context()
        return self.do_open(functools.partial(self._connection, request, secure), request)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_

    def _connection(self, request, secure, host, **options):
        if secure:
            connection = http.client.HTTPSConnection(host, context=secure, **options)
        else:
            connection = http.client.HTTPConnection(host, **options)
        if request.has_proxy() or request._tunnel_host:
            self.guard.check_for_proxy(
                urllib.parse.unquote(urllib.parse.urlsplit(request.full_url).hostname)
            )
        else:
            connection._create_connection = self.guard.connect
        return connection


class _Guard:
    """Keeps redirects from leading into a private network."""

    def __init__(self):
        self.first_is_private = self.first_host = None

    def connect(self, place, timeout, source_address=None):
        """Connect to an address just checked, so that no second look-up can change it."""
        problem = OSError("it has no address")
        for address in self.check(place[0]):
            try:
                return socket.create_connection((address, place[1]), timeout)
            except OSError as error:
                problem = error
        raise problem

    def check_for_proxy(self, host):
        """Check a host that a proxy connects to; a redirect must not lead to unknown names.

        The proxy may know names that we don't, and so may whoever gives the first address.
        """
        self.first_host, first = self.first_host or host, self.first_host
        try:
            self.check(host)
        except OSError:
            if first not in (None, host):
                problem = "of which we cannot tell whether it is in a private network"
                raise ValueError(f"it redirects to {host}, {problem}") from None

    def check(self, host):
        """The numeric addresses of a host, or a ValueError if a redirect may not lead there."""
        known_first, self.first_is_private = self.first_is_private, bool(self.first_is_private)
        found = [info[4][0] for info in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)]
        private = not all(map(is_public, found))
        if known_first is None:
            self.first_is_private = private
        elif private and not known_first:
            raise ValueError(f"it redirects to {host}, which is in a private network")
        return found


def is_public(address):
    """True for a numeric address that everyone on the internet can reach.

    >>> is_public("8.8.8.8"), is_public("192.168.0.1"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    number = ipaddress.ip_address(address)
    if number in NAT64:
        number = ipaddress.IPv4Address(int(number) & 0xFFFF_FFFF)
    number = getattr(number, "ipv4_mapped", None) or getattr(number, "sixtofour", None) or number
    if number in LOCAL_NAT64:
        return False
    return number.is_global and not number.is_multicast
