"""Real servers for tests, each on a free port; ended exactly, whatever the tests do."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 60.0
"""A machine that is busy takes long to start a server."""


def free_port() -> int:
    """Give a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> Path:
    """Give a program that is installed beside this interpreter."""
    return Path(sys.executable).with_name(name)


@contextmanager
def process(command: Sequence[object], **options: object) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process for the length of a `with`, and end it."""
    started = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a server that speaks S3; give its address."""
    port = free_port()
    with process([program("moto_server"), "-H", "127.0.0.1", "-p", port]) as server:
        address = f"http://127.0.0.1:{port}"
        wait_for(server, lambda: answers(address))
        yield address


def answers(address: str) -> bool:
    """Tell whether somebody speaks HTTP there."""
    try:
        urllib.request.urlopen(address, timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def wait_for(server: "subprocess.Popen[bytes]", is_there: object) -> None:
    """Wait until something is there, as long as the process that makes it lives."""
    end = time.monotonic() + PATIENCE_S
    while not is_there():
        assert server.poll() is None, f"{server.args} has ended"
        assert time.monotonic() < end, f"{server.args} does not answer"
        time.sleep(0.05)


def credentials(address: str, cache: Path) -> Mapping[str, str]:
    """Give the variables that lead to a server that speaks S3."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "FORMDIGITS_CACHE": str(cache),
    }
