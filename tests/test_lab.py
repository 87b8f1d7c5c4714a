"""JupyterLab as `make lab` opens it: really started, in the places where a plain `jupyter lab` gives up or leaves something behind."""

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nbformat
import psutil
import pytest

from course_utils.data import data_folder
from tests.browser import CHROMIUM, OPTIONS, needs_browser
from tools import lab, refresh

ROOT = Path(__file__).parent.parent
LINUX = sys.platform.startswith("linux")
WAIT = 90  # seconds for a start; one takes about three
ADDRESS = re.compile(r"http://(127\.0\.0\.1|localhost):(\d+)/lab/tree/\S+\?token=(\w+)")
JUPYTER = re.compile(r"JUPYTER|IPYTHONDIR$|MPLCONFIGDIR$|PYTHONPATH$|MAKE|GIT_")
LANGUAGE = {"name": "python", "version": "3.13.1", "file_extension": ".py"}
# The browser's driver doesn't tell a large body.
KEEP_WHAT_IS_SENT = """
window.sent = [];
const send = window.fetch;
window.fetch = async (request, options) => {
  if (request.method === "PUT" && request.url.includes(".ipynb")) window.sent.push(await request.clone().text());
  return send(request, options);
};
"""
# Root alone can become another user; the capability lets that user read a Python that lies in root's home.
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
AS_NOBODY += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _project(folder):
    """A copy of what JupyterLab needs, with a `.venv` that leads to the Python that runs the tests."""
    skipped = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("course_utils", "notebooks", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for name in ("Makefile", "pyproject.toml", "constraints.txt", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    lists = [(folder / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    (folder / ".venv" / "ready").write_bytes(b"".join(lists))
    os.utime(folder / ".venv" / "ready", (0, 0))  # as in a copy, where times mean nothing
    return folder


class Server:
    """A JupyterLab that was started; what it printed, and what it answers."""

    def __init__(self, process, log):
        self.process, self._log = process, log
        end = time.monotonic() + WAIT
        while not (found := ADDRESS.search(self.log())):
            assert process.poll() is None, f"JupyterLab ended:\n{self.log()[-3000:]}"
            assert time.monotonic() < end, f"JupyterLab did not start in {WAIT} s:\n{self.log()[-3000:]}"
            time.sleep(0.1)
        self.address, self.port, self._token = found[0], int(found[2]), found[3]

    def log(self):
        return self._log.read_text(encoding="utf-8", errors="replace")

    def ask(self, path, method="GET", body=None):
        url = f"http://127.0.0.1:{self.port}/api/{path}"
        request = urllib.request.Request(url, method=method, data=body and json.dumps(body).encode())
        request.add_header("Authorization", f"token {self._token}")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")


@contextlib.contextmanager
def _started(command, folder, place, **variables):
    """Start a JupyterLab, and end it with all that it started."""
    environment = {name: value for name, value in os.environ.items() if not JUPYTER.match(name)}
    environment = {name: value for name, value in environment.items() if name not in lab.SCREENS}
    data = str(data_folder())
    log = place / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=environment | {"COURSE_DATA": data} | variables, stdin=subprocess.DEVNULL,
            stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        yield Server(process, log)
    finally:
        _end(process)


def _end(process):
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    for member in family:  # the server is one of them where make started it; it ends its kernels
        with contextlib.suppress(psutil.NoSuchProcess):
            member.send_signal(signal.SIGTERM)
    process.terminate()
    _, left = psutil.wait_procs(family, timeout=15)
    for member in left:
        member.kill()
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """As whoever runs the tests, in a folder with blanks and umlauts, with its port taken and no screen."""
    place = tmp_path_factory.mktemp("lab")
    folder = place / "Übung für Anfänger"
    folder.mkdir()
    _project(folder)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "start"]):
        _git(folder, *words)
    browser = place / "bin" / "www-browser"  # Python starts it in a terminal where there is no screen
    browser.parent.mkdir()
    browser.write_text(f'#!/bin/sh\ntouch "{place}/browser started"\n')
    browser.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "tools.lab", "--port", str(port), *([] if LINUX else ["--no-browser"])]
        variables = {"HOME": str(place), "TERM": "xterm", "PATH": f"{browser.parent}{os.pathsep}{os.environ['PATH']}"}
        with _started(command, folder, place, **variables) as started:
            started.folder, started.taken, started.place = folder, port, place
            yield started


def _git(folder, *words):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *words]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def test_it_answers_on_the_next_port_and_prints_the_first_lessons_address(server):
    assert server.ask("status")["kernels"] == 0
    assert server.port != server.taken
    assert f":{server.port}/lab/tree/{lab.FIRST_LESSON}?token=" in server.address


def test_it_listens_on_this_computer_only(server):
    addresses = [found.laddr for found in psutil.Process(server.process.pid).net_connections("inet")]
    assert server.port in {address.port for address in addresses}
    assert {address.ip for address in addresses} <= {"127.0.0.1", "::1"}


@pytest.mark.skipif(not LINUX, reason="other systems always have a screen")
def test_without_a_screen_no_browser_is_started(server):
    assert not (server.place / "browser started").exists()


def test_lessons_and_the_students_folder_are_both_served(server):
    assert {"notebooks", "course_utils"} <= {found["name"] for found in server.ask("contents")["content"]}


def test_kernels_use_the_package_of_this_folder(server):
    from jupyter_client import BlockingKernelClient

    kernel = server.ask("kernels", "POST", {"name": "python3", "path": "notebooks"})["id"]
    (file,) = server.place.rglob(f"kernel-{kernel}.json")
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=WAIT)
        said = []
        show = functools.partial(lambda said, message: said.append(message["content"].get("text", "")), said)
        client.execute_interactive("import course_utils; print(course_utils.__file__)", timeout=WAIT, output_hook=show)
    finally:
        client.stop_channels()
        server.ask(f"kernels/{kernel}", "DELETE")
    assert Path("".join(said).strip()).parent == server.folder / "course_utils"


def _as_a_browser_sends(value):
    """JavaScript has one kind of number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _as_a_browser_sends(inner) for key, inner in value.items()}
    return [_as_a_browser_sends(inner) for inner in value] if isinstance(value, list) else value


def test_saving_a_lesson_that_was_not_changed_changes_no_byte(server):
    for path in sorted((server.folder / "notebooks").glob("*.ipynb")):
        before, since, place = path.read_bytes(), path.stat().st_mtime_ns, f"contents/notebooks/{path.name}"
        model = _as_a_browser_sends(server.ask(place))
        model["content"]["metadata"] |= {"language_info": LANGUAGE, "widgets": {"state": {}}}
        server.ask(place, "PUT", {name: model[name] for name in ("type", "format", "content")})
        assert path.stat().st_mtime_ns != since
        assert path.read_bytes() == before, path.name


def test_what_a_student_writes_is_saved(server):
    cell = nbformat.v4.new_code_cell("1 + 1", outputs=[nbformat.v4.new_output("stream", text="two\n")])
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"mine": 1})
    for folder in ("my", "my/own"):
        server.ask(f"contents/{folder}", "PUT", {"type": "directory"})
    server.ask("contents/my/own/try.ipynb", "PUT", {"type": "notebook", "format": "json", "content": notebook})
    server.ask("contents/my/notes.txt", "PUT", {"type": "file", "format": "text", "content": "hello"})
    assert nbformat.read(server.folder / "my/own/try.ipynb", 4).cells[0].outputs[0].text == "two\n"
    assert (server.folder / "my/notes.txt").read_text() == "hello"
    assert _git(server.folder, "status", "--porcelain") == ""  # git ignores my/


@needs_browser
def test_opening_saving_and_closing_a_lesson_in_a_browser_leaves_git_clean(server):
    from playwright import sync_api

    lesson = server.folder / "notebooks" / "01_thresholding.ipynb"
    before = lesson.stat().st_mtime_ns
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            page = browser.new_page()
            page.set_default_timeout(60_000)
            page.add_init_script(KEEP_WHAT_IS_SENT)
            page.goto(server.address.replace("00_start_here", "01_thresholding"))
            page.wait_for_selector(
                "#jp-main-statusbar:has-text('| Idle')"
            )  # the kernel has said which language it speaks
            popups = page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()
            page.locator(".jp-Notebook .jp-Cell").first.click()
            with page.expect_response(
                lambda answer: answer.request.method == "PUT" and lesson.name in answer.url
            ) as put:
                page.keyboard.press("Control+s")
            assert put.value.ok
            sent = [json.loads(body) for body in page.evaluate("sent")]
            page.close()
        finally:
            browser.close()
    assert popups == []
    assert ["language_info" in model["content"]["metadata"] for model in sent if model["type"] == "notebook"] == [True]
    assert lesson.stat().st_mtime_ns != before
    assert _git(server.folder, "status", "--porcelain") == ""


def _tree(folder):
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.skipif(shutil.which("make") is None or os.name == "nt", reason="make is not installed")
def test_make_lab_opens_in_a_read_only_folder_without_a_home(tmp_path):
    folder = tmp_path / "read only"
    folder.mkdir()
    _project(folder)
    other = AS_NOBODY if _is_root() else []
    if other and (not shutil.which("setpriv") or subprocess.run([*other, "true"], capture_output=True).returncode):
        pytest.skip("root can't become another user here")
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir(mode=0o555)
    temporary.mkdir()
    temporary.chmod(0o777)
    before = _tree(folder)
    arguments = "ARGS=--no-browser notebooks/01_thresholding.ipynb"
    with _started(
        [*other, "make", "lab", arguments], folder, tmp_path, HOME=str(home), TMPDIR=str(temporary)
    ) as server:
        assert "/lab/tree/notebooks/01_thresholding.ipynb?" in server.address
        assert server.ask("contents/notebooks/00_start_here.ipynb")["writable"] is False
        words = server.log()
    assert "Traceback" not in words
    assert "--allow-root" not in words
    assert _tree(folder) == before
    assert [*home.iterdir(), *temporary.glob("jupyter-*")] == []  # what stood in for the home is gone again


SCREEN = {"DISPLAY": ":0"}
ROOT_ONLY = ["--allow-root", "--ServerApp.ip=127.0.0.1"]


def _chosen(given=(), environ=SCREEN, **situation):
    """What is added to the given options, but for the folder and the page."""
    words = lab.options(list(given), environ, **({"root": False, "platform": "linux"} | situation))
    return [word for word in words if not word.startswith(("--ServerApp.root_dir=", "--LabApp.default_url="))]


def test_root_is_allowed_only_for_root_and_on_this_computer():
    assert _chosen() == []
    assert _chosen(root=True) == ROOT_ONLY
    assert _chosen(["--port", "1"], root=True) == [*ROOT_ONLY, "--port", "1"]
    for local in (["--ip=127.0.0.1"], ["--ip", "localhost"], ["--ServerApp.ip=::1"]):
        assert _chosen(local, root=True) == ["--allow-root", *local]
    for open_to_all in (["--ip=0.0.0.0"], ["--ip", "*"], ["--ServerApp.ip=0.0.0.0"], ["--ip="], ["--ip"]):
        with pytest.raises(SystemExit, match="You are root, so JupyterLab listens on this computer only"):
            _chosen(open_to_all, root=True)
        assert _chosen(open_to_all) == open_to_all
        assert _chosen([*open_to_all, "--allow-root"], root=True) == [*open_to_all, "--allow-root"]


def test_a_browser_is_opened_where_there_is_a_screen():
    for environ in (SCREEN, {"WAYLAND_DISPLAY": "wayland-0"}, {"BROWSER": "code --openExternal"}):
        assert "--no-browser" not in _chosen(environ=environ)
    assert "--no-browser" in _chosen(environ={"DISPLAY": ""})
    for platform in ("darwin", "win32"):
        assert "--no-browser" not in _chosen(environ={}, platform=platform)


def test_a_notebook_among_the_options_is_opened():
    *_, page, port = lab.options(["notebooks/02_otsu.ipynb", "--port=1"], SCREEN, root=False)
    assert (page, port) == ("--LabApp.default_url=/lab/tree/notebooks/02_otsu.ipynb", "--port=1")


def test_closed_home_of_another_user_is_replaced_for_the_session(monkeypatch):
    def closed(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:  # as root, the tests may look and write everywhere
        patch.setattr(Path, "stat", closed)
        patch.setattr(tempfile, "mkdtemp", closed)
        patch.setattr(os, "access", lambda path, mode: "closed" not in str(path))
        assert not lab._can_be_written(Path("/closed/.jupyter"))


def test_home_where_nothing_can_be_made_is_replaced_for_the_session(tmp_path):
    assert lab._can_be_written(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert not lab._can_be_written(tmp_path / "file" / "folder")
    if LINUX:
        assert not lab._can_be_written(Path("/proc/.jupyter"))  # root has the right, and the system refuses


def test_settings_of_the_user_are_kept():
    added = lab.variables({"PYTHONPATH": "theirs", "JUPYTER_CONFIG_PATH": "own"})
    assert added["PYTHONPATH"] == f"{ROOT}{os.pathsep}theirs"
    assert added["JUPYTER_CONFIG_PATH"] == f"{lab.SETTINGS}{os.pathsep}own"


def test_what_saving_drops_is_what_refresh_drops():
    assert {f"metadata.{name}" for name in lab.NOT_STORED} <= set(refresh._NOT_STORED)
