"""A lesson as a learner has it: JupyterLab in a real browser, every cell run, an explorer moved by keyboard and by mouse."""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import nbformat
import psutil
import pytest

from course_utils import notebooks

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine"
)

LESSON = "01_thresholding.ipynb"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-first-run"]
WAIT = 30  # seconds for any one step of a learner; each ends as soon as what it waits for is there
IDLE = "#jp-main-statusbar:has-text('| Idle')"  # the indicator in the toolbar says idle before there is a kernel
RUNNING = ".jp-InputPrompt:has-text('*')"
EXPLORER = ".jp-OutputArea-output:has(img.widget-image):has(.noUi-handle)"
TROUBLE = "[data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type='application/vnd.jupyter.error']"
POPUP = ".jp-Dialog, .Toastify__toast"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _server(folder):
    """JupyterLab over a copy of the notebooks, with no settings but the environment's own; yields address and folder."""
    root = folder / "notebooks"
    shutil.copytree(notebooks.FOLDER, root, ignore=shutil.ignore_patterns(".*"))
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR")
    places += ("JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")
    environment = os.environ | {place: str(folder / place.lower()) for place in places}
    token, port = secrets.token_hex(16), _free_port()
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment | {"JUPYTER_TOKEN": token}, cwd=root, stdout=log, stderr=log
        )
    try:
        _wait_for_server(process, f"http://127.0.0.1:{port}/api/status?token={token}", folder / "server.log")
        yield f"http://127.0.0.1:{port}", token, root
    finally:
        _stop(process)


def _wait_for_server(process, address, log):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def _stop(process):
    """End the server, which ends its kernels, and whatever of them is left after that."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=15)
    process.kill()
    process.wait()
    for child in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


class Lesson:
    """The lesson in the browser, all its cells run."""

    def __init__(self, page, address, token, root):
        self.page, self.path, self.requests, self.is_saved = page, root / LESSON, [], False
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.goto(f"{address}/lab/tree/{LESSON}?token={token}")
        page.wait_for_selector(IDLE)
        self.popups_at_start = page.locator(POPUP).all_inner_texts()
        page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_selector(RUNNING)
        page.wait_for_selector(RUNNING, state="detached")
        page.wait_for_selector(IDLE)

    def _is_written_after(self, before):
        """A file that is being written has a new time already, and not yet its end."""
        return self.path.stat().st_mtime_ns != before and self.path.read_bytes().endswith(b"}\n")

    def saved(self):
        """Save as a learner does, once, and read the file."""
        if not self.is_saved:
            before = self.path.stat().st_mtime_ns
            self.page.locator("#jp-MainMenu").get_by_text("File", exact=True).click()
            self.page.get_by_text("Save Notebook", exact=True).first.click()
            self._wait(lambda: self._is_written_after(before), "the notebook was not saved")
            self.is_saved = True
        return nbformat.read(self.path, as_version=4)

    def explorer(self):
        """The first explorer, in view."""
        box = self.page.locator(EXPLORER).first
        box.scroll_into_view_if_needed()
        box.locator(".noUi-handle").scroll_into_view_if_needed()
        return Explorer(self.page, box)

    def _wait(self, condition, otherwise):
        end = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < end, otherwise
            self.page.wait_for_timeout(100)


class Explorer:
    """What a learner sees of an explorer, and does with it."""

    def __init__(self, page, box):
        self.page, self.box, self.handle = page, box, box.locator(".noUi-handle")

    def position(self):
        return int(self.box.locator(".widget-readout").inner_text())

    def picture(self):
        """A digest of the PNG, once it has been the same for a second."""
        source, since = None, time.monotonic()
        while time.monotonic() < since + 1:
            if (now := self._source()) != source:
                source, since = now, time.monotonic()
            self.page.wait_for_timeout(50)
        script = "async source => Array.from(new Uint8Array(await (await fetch(source)).arrayBuffer()))"
        data = bytes(self.page.evaluate(script, source))
        assert data.startswith(b"\x89PNG")
        return hashlib.sha256(data).hexdigest()

    def press(self, *keys):
        self.handle.focus()
        before = self._source()
        for key in keys:
            self.page.keyboard.press(key)
        self.page.wait_for_function("([image, before]) => image.src != before", arg=[self._image(), before])
        return self.picture()

    def drag(self, pixels):
        box = self.handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in range(1, 41):
            self.page.mouse.move(x + pixels * step / 40, y)
            self.page.wait_for_timeout(10)
        self.page.mouse.up()
        return self.picture()

    def message(self):
        return self.box.locator(".widget-html-content").inner_text()

    def widths(self):
        """The picture's width on the page, its own, and the room that it has, in pixels."""
        return self._image().evaluate("image => [image.width, image.naturalWidth, image.parentElement.clientWidth]")

    def _image(self):
        return self.box.locator("img.widget-image").element_handle()

    def _source(self):
        return self._image().get_attribute("src")


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    with _server(tmp_path_factory.mktemp("lab")) as (address, token, root), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)  # to load the page, start a kernel and run all cells
            lesson = Lesson(page, address, token, root)
            page.set_default_timeout(WAIT * 1000)
            yield lesson
        finally:
            browser.close()


def test_no_error_or_warning_is_on_the_page(lesson):
    assert lesson.page.locator(TROUBLE).all_text_contents() == []
    assert lesson.page.locator(".jp-OutputArea-output").count() >= 20  # the page holds all cells, in view or not


def test_saved_file_has_every_cell_run_in_order_without_errors(lesson):
    cells = [cell for cell in lesson.saved().cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []


def test_each_exercise_says_that_it_was_not_attempted(lesson):
    answers = [
        "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        for cell in lesson.saved().cells
        if cell.cell_type == "code" and "\ncheck(" in cell.source
    ]
    assert answers
    assert all("Not attempted yet" in answer for answer in answers), answers


def test_arrow_keys_move_the_slider_and_the_picture(lesson):
    explorer = lesson.explorer()
    start, first = explorer.position(), explorer.picture()
    second = explorer.press("ArrowRight", "ArrowRight", "ArrowRight")
    assert explorer.position() == start + 3
    assert second != first
    assert explorer.press("ArrowLeft", "ArrowLeft", "ArrowLeft") == first
    assert explorer.message() == ""


def test_an_explorer_is_one_output_and_its_slider_stands_over_its_picture(lesson):
    box = lesson.explorer().box
    assert box.locator("img").count() == 1
    slider, picture = (box.locator(part).bounding_box() for part in (".noUi-handle", "img"))
    assert slider["y"] + slider["height"] <= picture["y"] < slider["y"] + 60


def test_a_drag_ends_on_the_picture_of_the_final_position(lesson):
    explorer = lesson.explorer()
    start, first = explorer.position(), explorer.picture()
    dragged, end = explorer.drag(120), explorer.position()
    assert end > start + 20
    assert dragged != first
    assert explorer.press("ArrowLeft") != dragged
    assert explorer.press("ArrowRight") == dragged  # the keys came to the same position one step at a time
    assert explorer.position() == end
    assert explorer.message() == ""


def test_picture_has_its_own_size_where_there_is_room_or_shrinks(lesson):
    size = lesson.page.viewport_size
    try:
        lesson.page.set_viewport_size({"width": 1920, "height": 1080})
        shown, own, room = lesson.explorer().widths()
        assert shown == own < room  # stretched, it would be blurred
        lesson.page.set_viewport_size({"width": 1000, "height": 800})
        shown, own, room = lesson.explorer().widths()
        assert shown == room < own
    finally:
        lesson.page.set_viewport_size(size)


def test_nothing_covers_the_page(lesson):
    assert lesson.popups_at_start == []
    assert lesson.page.locator(POPUP).all_inner_texts() == []


def test_the_page_asked_nobody_but_its_own_server(lesson):
    hosts = {urllib.parse.urlsplit(url).hostname for url in lesson.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert any(
        url.startswith("ws://") for url in lesson.requests
    )  # the list is complete: the kernel's channel is on it
