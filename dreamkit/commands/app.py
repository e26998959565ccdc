"""python -m dreamkit app: the playground as a web page.  (README)"""

import ipaddress
import json
import os
import re
import secrets
import socket
import tempfile
import time
from pathlib import Path

from ..errors import SettingsError
from ..widgets.page import source

AWAY = 120  # s after which the memory of a visitor whose page no longer answers is freed
ARRIVING = 600  # s that a page may take until it answers for the first time
ELSEWHERE = re.compile(r'<link\b[^>]*"https?://[^>]*>')  # icon fonts, which we don't use
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # … and from this machine
ROOM = 4  # times the largest upload: a message that is larger closes the page's connection


def serve(host="127.0.0.1", port=8866, token=None, runs=1, upload=20.0, away=AWAY):
    """Serve the playground until Ctrl-C.

    Every visitor has a kernel of their own, so nobody sees another's pictures. It ends when the
    page is closed, or `away` seconds after its browser has stopped answering.

    Args:
        host, port: where to listen.
        token: what a visitor's address must contain; None makes one up, "" asks for none.
        runs: how many pictures may be made at once; other visitors wait in a queue.
        upload: largest picture that can be uploaded, MB.
        away: seconds.

    Raises:
        SettingsError: Voilà is missing, or the page would be open to anyone.
    """
    try:
        from tornado.ioloop import PeriodicCallback
        from traitlets.config import Config
        from voila.app import Voila
    except ImportError as error:
        raise SettingsError("The app needs Voilà: run `pip install voila`.") from error
    if token == "" and not is_loopback(host):
        raise SettingsError(f"Anyone who reaches {host} could use this machine: set --token.")
    token = secrets.token_urlsafe(16) if token is None else token
    with tempfile.TemporaryDirectory(prefix="dreamkit-app-") as folder:
        os.chdir(folder)  # visitors' files, if any, are deleted at the end
        notebook = write_notebook(Path(folder), upload, runs)
        where = ", and for other machines at ".join(addresses(host, port, token))
        print(f"The playground is at {where} (Ctrl-C ends it).", flush=True)
        config = Config()
        config.Voila.update(ip=host, port=port, port_retries=0, token=token, root_dir=folder)
        config.Voila.tornado_settings = {"websocket_max_message_size": int(ROOM * upload * 1e6)}
        config.Voila.update(open_browser=False, log_level="ERROR")
        config.VoilaConfiguration.extension_denylist = ["@jupyter-notebook/lab-extension"]
        config.VoilaConfiguration.allow_template_override = "NO"

        class Playground(Voila):
            def setup_template_dirs(self):
                super().setup_template_dirs()
                own = write_templates(Path(folder) / "templates", self.template_paths)
                self.template_paths = [str(own), *self.template_paths]

            def listen(self):
                visitors = Visitors(self.kernel_manager, away)
                PeriodicCallback(visitors.free_abandoned, 1000).start()
                super().listen()

        Playground.launch_instance([str(notebook)], config=config)


class Visitors:
    """Whose page still answers, and whose memory can be freed.

    Jupyter's own culling waits until a kernel is idle, but the run of a visitor who has left can
    continue for a long time.

    Args:
        kernels: a kernel manager of Jupyter.
        away: seconds after which a page that no longer answers is given up.
        clock: gives seconds.
    """

    def __init__(self, kernels, away, clock=time.monotonic):
        self.kernels, self.away, self.clock = kernels, away, clock
        self.until = {}  # {kernel: when it is given up unless its page answers}

    async def free_abandoned(self):
        """End the kernels of those who have left."""
        now = self.clock()
        for kernel in list(self.kernels.list_kernel_ids()):
            self.until.setdefault(kernel, now + ARRIVING)
            if self.kernels.kernel_model(kernel)["connections"]:
                self.until[kernel] = now + self.away
            elif now > self.until[kernel]:
                del self.until[kernel]
                await self.kernels.shutdown_kernel(kernel, now=True)


def addresses(host, port, token):
    """The page's addresses: one for this machine and, if it serves a network, one for the others.

    The token is named even if it is empty, so that `&theme=dark` can follow it.
    """
    hosts = [host]
    if host in EVERYWHERE:
        hosts = [EVERYWHERE[host], _own_address(host)]
    hosts = [f"[{name}]" if ":" in name else name for name in hosts]
    return [f"http://{name}:{port}/?token={token}" for name in hosts]


def _own_address(host):
    """This machine's address in its network, or its name if it has none."""
    family, other = (
        (socket.AF_INET6, "2001:db8::1") if ":" in host else (socket.AF_INET, "192.0.2.1")
    )
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as caller:
            caller.connect((other, 9))  # chooses the way there, and sends nothing
            return caller.getsockname()[0]
    except OSError:
        return socket.gethostname()


def write_notebook(folder, upload, runs):
    """Write the page's notebook into a folder of its own; the queue is a folder next to it."""
    cell = {"cell_type": "code", "id": "page", "metadata": {}, "outputs": []}
    cell |= {"execution_count": None, "source": source(upload, str(folder / "queue"), runs)}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path = folder / "playground.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def write_templates(folder, paths):
    """Voilà's templates without what they'd fetch from elsewhere, for this page stays here.

    Args:
        folder: where to write them.
        paths: folders of templates; the first one that has a template counts.
    """
    for path in reversed([Path(path) for path in paths]):
        for file in path.glob("*.html*") if path.parent.name == "templates" else ():
            text = ELSEWHERE.sub("", file.read_text(encoding="utf-8"))
            # Templates call each other by their names, or by where they are.
            for copy in (folder, folder.joinpath(*path.parts[-3:])):
                copy.mkdir(parents=True, exist_ok=True)
                (copy / file.name).write_text(text, encoding="utf-8")
    return folder


def is_loopback(host):
    """True for an address that only this machine reaches.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
