"""OpenStack Swift on this machine, speaking S3: a second opinion that is a real store.

One proxy, one device, one copy of everything, all below a folder of its own.  Debian has the programs
(``make swift`` installs them); where they are not, what needs them is skipped.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ACCESS_KEY, SECRET_KEY = "test:tester", "testing"

SERVERS = ("account", "container", "object")

PROGRAMS = ("swift-proxy-server", "swift-ring-builder", "swift-object-server", "memcached")

IS_HERE = all(map(shutil.which, PROGRAMS))

_SHARED = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
devices = {root}/devices
swift_dir = {root}
mount_check = false
user = {user}
workers = 0
log_level = ERROR
"""

_STORAGE = """
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""

_PROXY = f"""
[pipeline:main]
pipeline = catch_errors cache bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{{cache}}
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_{ACCESS_KEY.replace(":", "_")} = {SECRET_KEY} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


_RINGS = """
import sys
from swift.common.ring import RingBuilder
root, *given = sys.argv[1:]
for name, port in (one.split(":") for one in given):
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "device": "d1", "meta": "",
                     "ip": "127.0.0.1", "port": int(port),
                     "replication_ip": "127.0.0.1", "replication_port": int(port)})
    builder.rebalance()
    builder.get_ring().save(f"{root}/{name}.ring.gz")
"""


@contextmanager
def swift(root: Path) -> Iterator[str]:
    """Give the address of a Swift that keeps everything below *root*, for as long as the block lasts."""
    (root / "devices/d1").mkdir(parents=True)
    user = getpass.getuser()
    ports = {name: _free_port() for name in (*SERVERS, "proxy")}
    cache = _free_port()
    for name, port in ports.items():
        shared = _SHARED.format(port=port, root=root, user=user)
        own = _PROXY.format(cache=cache) if name == "proxy" else _STORAGE.format(name=name)
        (root / f"{name}.conf").write_text(shared + own)
    _make_rings(root, ports)
    commands = [[f"swift-{name}-server", root / f"{name}.conf"] for name in ports]
    commands.append(["memcached", "-u", user, "-l", "127.0.0.1", "-p", str(cache)])
    started = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    url = f"http://127.0.0.1:{ports['proxy']}"
    try:
        _wait_for(url)
        yield url
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(10)


def _make_rings(root: Path, ports: Mapping[str, int]) -> None:
    """Make the three rings in one process of Swift's own Python: its command takes a second for each step."""
    python = Path(str(shutil.which("swift-ring-builder"))).read_text().splitlines()[0].removeprefix("#!")
    given = [f"{name}:{ports[name]}" for name in SERVERS]
    subprocess.run([*python.split(), "-c", _RINGS, str(root), *given], check=True, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url).close()
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Swift does not answer")
