"""Addresses: what the web may send, where it may lead, and how long that may take."""

import base64
import functools
import http.server
import io
import socket
import threading
import time
import urllib.parse

import numpy as np
import pytest
from PIL import Image

from dreamkit import ImageError, load_image
from dreamkit.inputs import web

RED = np.zeros((4, 6, 3), np.uint8) + np.uint8([255, 0, 0])


def png():
    file = io.BytesIO()
    Image.fromarray(RED).save(file, "PNG")
    return file.getvalue()


def assert_red(picture):
    np.testing.assert_array_equal(picture, RED / np.float32(255))


@pytest.fixture
def server(monkeypatch):
    """A server whose `pages` are functions that answer a request; it notes what it was sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.seen.append((self.path, dict(self.headers)))
            server.pages[self.path](self)

        def log_message(self, *_):
            pass

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.pages, server.daemon_threads = [], {"/a.png": answer(png())}, True
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def answer(body, status=200, **headers):
    """A page: its body, and its headers with underscores for hyphens."""

    def page(request):
        request.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            request.send_header(name.replace("_", "-"), str(value))
        request.end_headers()
        request.wfile.write(body)

    return page


def redirect(place):
    return answer(b"", 302, Location=place)


def drip(request, where):
    """Send a byte now and then, in the headers or in the body, for ten seconds."""
    if where == "body":
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
    try:
        for _ in range(200):
            request.wfile.write(b"H")
            request.wfile.flush()
            time.sleep(0.05)
    except OSError:  # it was given up, as it should be
        pass


@pytest.fixture
def names(monkeypatch, server):
    """Host names → numeric addresses, as a name server would give; each ends at the server."""
    known, look_up, connect = {}, socket.getaddrinfo, socket.create_connection

    def getaddrinfo(host, port, *args, **kwargs):
        if host not in known:
            return look_up(host, port, *args, **kwargs)
        numbers = known[host] if isinstance(known[host], list) else [known[host]]
        number = numbers.pop(0) if len(numbers) > 1 else numbers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))]

    def create_connection(place, *args):
        known.setdefault("connected", []).append(place[0])
        return connect(("127.0.0.1", server.server_port), *args)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(web.socket, "create_connection", create_connection)
    return known


# ---------------------------------------------------------------- kinds of addresses


def test_a_file_address_is_a_path(tmp_path):
    path = tmp_path / "a picture é.png"
    path.write_bytes(png())
    assert_red(load_image(path.as_uri()))
    assert_red(load_image(path.as_uri().replace("file:///", "file://localhost/")))
    with pytest.raises(ImageError, match="was not found"):
        load_image("file:///nowhere/a.png")
    with pytest.raises(ImageError, match="was not found"):
        load_image(path.as_uri().replace("file:///", "file://elsewhere/"))


def test_a_data_address_holds_the_picture():
    encoded = base64.b64encode(png()).decode()
    assert_red(load_image(f"data:image/png;base64,{encoded}"))
    assert_red(load_image(f"DATA:image/png;base64,{urllib.parse.quote(encoded)}"))
    assert_red(load_image("data:image/png," + urllib.parse.quote(png())))


def test_a_damaged_data_address_is_named_without_its_data():
    for address in ("data:image/png;base64," + "?" * 5000, "data:image/png," + "x" * 5000):
        with pytest.raises(ImageError) as caught:
            load_image(address)
        assert "data:image/png" in str(caught.value)
        assert len(str(caught.value)) < 200


def test_a_host_may_have_any_letters(server, names):
    names["xn--bcher-kva.example"] = "93.184.216.34"
    assert_red(load_image("http://bücher.example/a.png"))
    assert server.seen[0][1]["Host"] == "xn--bcher-kva.example"


def test_hosts_learn_who_asks_and_where_to_find_us(server):
    load_image(f"{server.address}/a.png")
    agent = server.seen[0][1]["User-Agent"]
    assert agent.startswith("Mozilla/5.0 (compatible; dreamkit/")
    assert "; +https://" in agent
    assert "urllib" not in agent


def test_a_share_link_is_called_a_web_page(server, tmp_path):
    for page in (
        b"<!doctype html><html><body>sign in to view</body></html>",
        b"\xef\xbb\xbf\n  <HTML><head>",
        b"<!-- saved -->\n<html>",
    ):
        server.pages["/share"] = answer(page)
        (tmp_path / "a.jpg").write_bytes(page)
        for source in (f"{server.address}/share", tmp_path / "a.jpg"):
            with pytest.raises(ImageError, match=r"is a web page, not a picture: a share link"):
                load_image(source)


# ---------------------------------------------------------------- where it may lead


def test_a_redirect_to_a_picture_is_followed(server):
    server.pages["/moved"] = redirect("/a.png")
    assert_red(load_image(f"{server.address}/moved"))


@pytest.mark.parametrize(
    "place", ["file:///etc/hostname", "ftp://127.0.0.1/a.png", "data:image/png,x", "gopher://a/"]
)
def test_a_redirect_off_the_web_is_not_followed(server, place):
    server.pages["/moved"] = redirect(place)
    with pytest.raises(ImageError, match="could not be fetched"):
        load_image(f"{server.address}/moved")


@pytest.mark.parametrize(
    "number",
    [
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::8.8.8.8",
    ],
)
def test_a_public_address_does_not_lead_into_a_private_network(server, names, number):
    names |= {"public.example": "93.184.216.34", "inside.example": number}
    server.pages["/moved"] = redirect("http://inside.example/a.png")
    with pytest.raises(ImageError, match=r"inside\.example, which is in a private network"):
        load_image("http://public.example/moved")
    assert names["connected"] == ["93.184.216.34"]
    assert [path for path, _ in server.seen] == ["/moved"]


def test_a_private_address_may_lead_to_private_and_public_ones(server, names):
    names |= {"nas.example": "192.168.0.7", "inside.example": "10.0.0.1", "out.example": "8.8.8.8"}
    for place in ("inside.example", "out.example"):
        server.pages["/moved"] = redirect(f"http://{place}/a.png")
        assert_red(load_image("http://nas.example/moved"))


def test_a_name_that_changes_between_two_look_ups_gains_nothing(server, names):
    names["twice.example"] = ["93.184.216.34", "127.0.0.1"]
    assert_red(load_image("http://twice.example/a.png"))
    assert names["connected"] == ["93.184.216.34"]
    names["connected"].clear()
    names["twice.example"] = ["93.184.216.34", "127.0.0.1"]
    server.pages["/moved"] = redirect("http://twice.example/a.png")
    with pytest.raises(ImageError, match="private network"):
        load_image("http://twice.example/moved")
    assert names["connected"] == ["93.184.216.34"]


@pytest.fixture
def proxy(server, monkeypatch):
    """The server as the proxy for http; it has a picture at http://public.invalid/a.png."""
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("no_proxy", "")
    for name in ("HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server.pages["http://public.invalid/a.png"] = answer(png())
    return server


def test_a_proxy_is_used_and_asked_for_nothing_private(proxy, monkeypatch):
    proxy.pages["http://public.invalid/moved"] = redirect("http://127.0.0.1/a.png")
    monkeypatch.setattr(web.socket, "getaddrinfo", only_numbers(socket.getaddrinfo))
    assert_red(load_image("http://public.invalid/a.png"))
    with pytest.raises(ImageError, match="private network"):
        load_image("http://public.invalid/moved")


def test_behind_a_proxy_a_redirect_leads_to_no_unknown_name(proxy, monkeypatch):
    proxy.pages["http://router.invalid/a.png"] = answer(png())
    proxy.pages["http://public.invalid/moved"] = redirect("http://router.invalid/a.png")
    proxy.pages["http://public.invalid/here"] = redirect("http://public.invalid/a.png")
    monkeypatch.setattr(web.socket, "getaddrinfo", only_numbers(socket.getaddrinfo))
    assert_red(load_image("http://public.invalid/here"))
    with pytest.raises(ImageError, match=r"router\.invalid, of which we cannot tell whether"):
        load_image("http://public.invalid/moved")


def test_an_address_behind_nat64_is_as_public_as_the_one_that_it_stands_for():
    assert web.is_public("64:ff9b::8.8.8.8")
    assert not web.is_public("64:ff9b::192.168.0.1")


def only_numbers(look_up):
    def getaddrinfo(host, *args, **kwargs):
        if not host.replace(".", "").isdigit():
            raise socket.gaierror(-2, "Name or service not known")
        return look_up(host, *args, **kwargs)

    return getaddrinfo


def test_redirects_in_a_circle_end(server):
    server.pages["/moved"] = redirect("/moved")
    with pytest.raises(ImageError, match="could not be fetched"):
        load_image(f"{server.address}/moved")


# ---------------------------------------------------------------- how long it may take


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_server_that_drips_is_given_up(server, monkeypatch, where):
    monkeypatch.setattr(web, "PATIENCE", 0.5)
    server.pages["/drip"] = functools.partial(drip, where=where)
    started = time.monotonic()
    with pytest.raises(ImageError, match="timed out"):
        load_image(f"{server.address}/drip")
    assert time.monotonic() - started < 4


def test_a_server_slower_than_usual_is_waited_for(server, monkeypatch):
    monkeypatch.setattr(web, "PATIENCE", 1)
    content = png()

    def slow(request):
        answer(content[:40], Content_Length=len(content))(request)
        time.sleep(0.3)
        request.wfile.write(content[40:])

    server.pages["/slow"] = slow
    assert_red(load_image(f"{server.address}/slow"))


def test_a_reply_that_ends_early_is_not_taken_for_a_damaged_picture(server):
    server.pages["/cut"] = answer(png()[:-20], Content_Length=len(png()))
    with pytest.raises(ImageError, match=r"it ended after \d+ of \d+ bytes"):
        load_image(f"{server.address}/cut")


def test_a_reply_in_chunks_is_read_to_its_end(server):
    def chunked(request):
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for start in range(0, len(png()), 50):
            block = png()[start : start + 50]
            request.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        request.wfile.write(b"0\r\n\r\n")

    server.pages["/chunked"] = chunked
    assert_red(load_image(f"{server.address}/chunked"))
