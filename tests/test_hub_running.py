"""A class at work on the hub of `deploy/hub`: log in, run lesson 01 at the same time, stay apart, survive a killed server.

`make test-hub` installs the hub into build/hub and runs this. Whatever was started has ended afterwards, also when a
test fails.
"""

import asyncio
import contextlib
import ctypes
import datetime
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from tornado import httpclient, websocket

from course_utils.notebooks import lessons
from deploy.hub import class_list, settings

ROOT = Path(__file__).parent.parent
HUB = ROOT / "build" / "hub"
NAMES = [f"student{number:02}" for number in range(1, 31)]
FEW = NAMES[:5]
BECOMES_PARENT_OF_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
GIB = 2**30
# Where Python lies in a closed home, the hub gets a view of the file system in which nothing of that home is left but Python.
OPEN_HOME = """
there=$(mktemp -d) && mount --bind "$2" "$there" && mount -t tmpfs -o mode=755 none "$1" && mkdir -p "$2" &&
mount --move "$there" "$2" && rmdir "$there" && shift 2 && exec "$@"
"""

pytestmark = [
    pytest.mark.hub,
    pytest.mark.skipif(not (HUB / "ready").exists(), reason="JupyterHub is not installed: see `make test-hub`"),
    pytest.mark.skipif(sys.platform != "linux", reason="the hub needs Linux"),
]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


class Student:
    """A student at a browser: logs in by the form, then asks with a token of their own."""

    def __init__(self, address, name, password):
        self.address, self.name, self.password = address, name, password
        self.session = requests.Session()
        self.session.trust_env = False  # past any proxy

    def log_in(self):
        """The answer to the login form."""
        form = {"username": self.name, "password": self.password}
        self.session.get(f"{self.address}/hub/login", timeout=60).raise_for_status()
        return self.session.post(f"{self.address}/hub/login", data=form | {"_xsrf": self._xsrf()}, timeout=300)

    def _xsrf(self):
        return self.session.cookies.get("_xsrf", path="/hub/")

    def take_token(self):
        address = f"{self.address}/hub/api/users/{self.name}/tokens"
        reply = self.session.post(address, json={}, headers={"X-XSRFToken": self._xsrf()}, timeout=60)
        self.session.cookies.clear()  # with cookies, each question would have to prove that it comes from a page of the hub
        self.session.headers["Authorization"] = f"token {reply.json()['token']}"

    def start(self, within=600):
        """Start the server, and wait until it answers."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            self.session.post(f"{self.address}/hub/api/users/{self.name}/server", timeout=300)
            with contextlib.suppress(requests.RequestException):
                if self.ask("GET", "api/status").status_code == 200:
                    return
            time.sleep(1)
        raise AssertionError(f"{self.name}'s server does not answer")

    def ask(self, method, path, whose=None, **options):
        return self.session.request(
            method, f"{self.address}/user/{whose or self.name}/{path}", timeout=60, allow_redirects=False, **options
        )

    def start_kernel(self, path="my"):
        reply = self.ask("POST", "api/kernels", json={"name": "python3", "path": path})
        reply.raise_for_status()
        return reply.json()["id"]

    def run(self, kernel, *sources):
        """What each source printed in a kernel; the first error ends it."""
        return asyncio.run(self._run(kernel, sources))

    async def _run(self, kernel, sources):
        url = f"{self.address}/user/{self.name}/api/kernels/{kernel}/channels".replace("http", "ws", 1)
        header = {"Authorization": self.session.headers["Authorization"]}
        asked = httpclient.HTTPRequest(url, headers=header, request_timeout=300, connect_timeout=300)
        channel, printed = await websocket.websocket_connect(asked, max_message_size=2**28), []
        try:
            for source in sources:
                printed.append(await self._execute(channel, source))
        finally:
            channel.close()
            while await channel.read_message() is not None:  # what was still on its way
                pass
        return printed

    async def _execute(self, channel, source):
        number, text = uuid.uuid4().hex, ""
        header = {"msg_id": number, "msg_type": "execute_request", "session": "s", "username": "", "version": "5.4"}
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await channel.write_message(json.dumps(message))
        while raw := await asyncio.wait_for(channel.read_message(), 900):
            if isinstance(raw, bytes):  # a picture for a widget
                continue
            answer = json.loads(raw)
            if answer["parent_header"].get("msg_id") != number:
                continue
            kind, content = answer["msg_type"], answer["content"]
            if kind == "stream" and content["name"] == "stdout":
                text += content["text"]
            assert kind != "error", content["traceback"]
            if kind == "status" and content["execution_state"] == "idle":
                return text
        raise AssertionError(f"{self.name}'s kernel went away")

    def processes(self):
        """The student's server and kernels."""
        found = []
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.environ().get("LOGNAME") == self.name:
                    found.append(process)
        return found

    @property
    def server(self):
        (found,) = [each for each in self.processes() if "deploy.hub.student_server" in each.cmdline()]
        return found


class Hub:
    """The hub as `make hub` starts it, on free ports, for a class of thirty."""

    def __init__(self, folder):
        self.folder = folder
        settings.make_folders(folder)
        self.passwords = class_list.add(folder / "list", NAMES)
        self.met = []
        port, hub_port, proxy_port = free_ports(3)
        self.address = f"http://127.0.0.1:{port}"
        given = {
            "COURSE_CLASS": str(folder), "COURSE_HUB_ADDRESS": self.address, "COURSE_HUB_TRUST": "1",
            "COURSE_PYTHON": sys.executable, "COURSE_DATA": str(settings.data(os.environ)),
        }  # fmt: skip
        command = [HUB / "bin" / "python", "-m", "jupyterhub", "-f", ROOT / "deploy" / "hub" / "jupyterhub_config.py"]
        command += [
            f"--JupyterHub.hub_port={hub_port}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy_port}",
        ]
        self.log = (folder / "log").open("w")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COURSE"))}
        self.process = subprocess.Popen(
            [*self._way_to_python(), *command], env=kept | given, cwd=ROOT, stdout=self.log, stderr=subprocess.STDOUT
        )

    def _way_to_python(self):
        needed = [sys.executable, ROOT / "course_utils", settings.data(os.environ), self.folder]
        place = settings.closed(needed) if settings.is_root() else None
        if place is None:
            return []
        if ROOT.is_relative_to(place) or not Path(sys.base_prefix).is_relative_to(place):
            pytest.skip(f"{place} is closed to other users, so students could not reach the lessons")
        return ["unshare", "--mount", "sh", "-c", OPEN_HOME, "sh", place, sys.base_prefix]

    def wait(self):
        for _ in range(600):
            assert self.process.poll() is None, self.said()
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.address}/hub/api", timeout=5).ok:
                    return
            time.sleep(0.1)
        raise AssertionError(self.said())

    def said(self):
        return (self.folder / "log").read_text()[-5000:]

    def student(self, name, password=None):
        self.met.append(Student(self.address, name, password or self.passwords[name]))
        return self.met[-1]

    def close(self):
        """End the hub, which ends servers and proxy; return what it left, and end that too."""
        for student in self.met:
            student.session.close()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(90)
        _, left = psutil.wait_procs(psutil.Process().children(recursive=True), timeout=10)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=10)
        self.log.close()
        return [each.pid for each in left]


@pytest.fixture(scope="module")
def hub():
    folder = ROOT / "build" / "hub-class"
    shutil.rmtree(folder, ignore_errors=True)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(BECOMES_PARENT_OF_ORPHANS, 1)
    hub = None
    try:
        hub = Hub(folder)
        hub.wait()
        yield hub
    finally:
        left = hub.close() if hub else []
        libc.prctl(BECOMES_PARENT_OF_ORPHANS, 0)
        said = hub.said() if hub else ""
        shutil.rmtree(folder, ignore_errors=True)
    assert left == [], said


@pytest.fixture(scope="module")
def students(hub):
    """Five, logged in, with their servers started at the same time."""
    found = [hub.student(name) for name in FEW]
    for each in found:
        enter(each)
    in_parallel(Student.start, found)
    return found


def enter(student):
    assert student.log_in().url.startswith(f"{student.address}/hub/spawn")
    student.take_token()


def in_parallel(work, items):
    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(work, items))


def lesson(number):
    """The sources of a lesson, what its cells print, and which are not compared."""
    cells = lessons()[number].code_cells
    ignored = [number for number, cell in enumerate(cells) if "nbval-ignore-output" in cell.metadata.get("tags", [])]
    printed = ["".join(out.text for out in cell.outputs if out.get("name") == "stdout") for cell in cells]
    return [cell.source for cell in cells], printed, ignored


def run(student, lesson_number=1):
    """Run a lesson as the student would, in a new kernel, and compare what it prints with what is stored."""
    sources, stored, ignored = lesson(lesson_number)
    kernel = student.start_kernel()
    for number, (printed, expected) in enumerate(zip(student.run(kernel, *sources), stored, strict=True)):
        assert number in ignored or printed == expected, f"{student.name}, cell {number}"
    return kernel


def test_a_wrong_password_and_an_unknown_name_are_refused(hub):
    for name, password in ((FEW[0], "wrong"), (FEW[0], hub.passwords[FEW[1]]), ("nobody", "wrong"), (FEW[0], " ")):
        someone = hub.student(name, password)
        assert someone.log_in().status_code == 403
        assert someone.session.get(f"{hub.address}/hub/api/user", timeout=60).status_code == 403


def test_five_students_run_at_the_same_time_and_git_sees_no_change(students):
    before = git_status()
    kernels = in_parallel(run, students)
    assert git_status() == before
    for student, kernel in zip(students, kernels, strict=True):
        student.ask("DELETE", f"api/kernels/{kernel}").raise_for_status()


def git_status():
    return subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout


def test_each_student_finds_every_lesson_in_my_with_working_links(students):
    listed = students[0].ask("GET", "api/contents/my").json()["content"]
    assert {each["name"] for each in listed} == {lesson.path.name for lesson in lessons()}
    for path in ("publish/covers/01.png", "deploy/README.md", "README.md", "notebooks/02_otsu.ipynb"):
        assert students[0].ask("GET", f"files/{path}").status_code == 200, path


def test_a_lesson_that_was_only_opened_and_saved_is_the_same_file(hub, students):
    name = "my/01_thresholding.ipynb"
    model = students[0].ask("GET", f"api/contents/{name}").json()
    students[0].ask("PUT", f"api/contents/{name}", json=model).raise_for_status()
    saved = hub.folder / "students" / students[0].name / name
    assert saved.read_bytes() == (ROOT / "notebooks" / saved.name).read_bytes()


def test_no_student_reaches_another_over_the_web(students):
    one, other = students[:2]
    assert one.ask("GET", "api/contents/my").status_code == 200
    for method, path in (
        ("GET", "api/contents/my"),
        ("POST", "api/kernels"),
        ("GET", "lab"),
        ("POST", "api/terminals"),
    ):
        assert one.ask(method, path, whose=other.name).status_code == 403, path
    port = next(each.laddr.port for each in other.server.net_connections() if each.status == "LISTEN")
    past_the_proxy = f"http://127.0.0.1:{port}/user/{other.name}/api/contents/my"
    for headers in ({}, one.session.headers):
        assert requests.get(past_the_proxy, headers=headers, timeout=60, allow_redirects=False).status_code == 403
    assert one.session.get(f"{one.address}/hub/api/users", timeout=60).status_code == 403


REFUSED = """
import json, os, signal
from pathlib import Path

def refused(work):
    try:
        work()
    except PermissionError:
        return True
    except OSError as error:
        return error.errno == 30  # a file system that can only be read
    return False

home, root, data, cls, pid = {home!r}, Path({root!r}), Path({data!r}), Path({cls!r}), {pid}
print(json.dumps(dict(
    list_folder=refused(lambda: os.listdir(home)),
    read_work=refused(lambda: open(home + "/my/secret.txt").read()),
    write_work=refused(lambda: open(home + "/my/planted.txt", "w")),
    class_list=refused(lambda: (cls / "list").read_text()),
    cookie_secret=refused(lambda: (cls / "hub" / "cookie_secret").read_text()),
    database=refused(lambda: (cls / "hub" / "jupyterhub.sqlite").read_bytes()),
    who_else=refused(lambda: os.listdir(cls / "students")),
    environment=refused(lambda: open("/proc/%d/environ" % pid).read()),
    stop_server=refused(lambda: os.kill(pid, signal.SIGTERM)),
    change_lesson=refused(lambda: open(root / "notebooks" / "01_thresholding.ipynb", "a")),
    add_to_package=refused(lambda: open(root / "course_utils" / "planted.py", "w")),
    change_data=refused(lambda: open(data / "planted", "w")),
)))
"""


@pytest.mark.skipif(not settings.is_root(), reason="only root can keep the students' files apart")
def test_no_kernel_reads_or_changes_what_is_not_its_students(hub, students):
    one, other = students[:2]
    secret = {"type": "file", "format": "text", "content": "mine"}
    other.ask("PUT", "api/contents/my/secret.txt", json=secret).raise_for_status()
    code = REFUSED.format(
        home=str(hub.folder / "students" / other.name), root=str(ROOT), data=str(settings.data(os.environ)),
        cls=str(hub.folder), pid=other.server.pid,
    )  # fmt: skip
    kernel = one.start_kernel()
    (printed,) = one.run(kernel, code)
    found = json.loads(printed)
    assert len(found) == 12
    assert [name for name, was_refused in found.items() if not was_refused] == []
    uid, temporary = one.run(
        kernel, "import os; print(os.getuid(), os.getgroups())", "import tempfile; print(tempfile.gettempdir())"
    )
    assert uid.split()[0] == str(class_list.read(hub.folder / "list")[one.name].number)
    assert "[0]" not in uid
    assert temporary.strip() == str(hub.folder / "students" / one.name / ".tmp")


def test_a_killed_server_comes_back_with_the_work(students):
    student, name = students[2], "my/01_thresholding.ipynb"
    model = student.ask("GET", f"api/contents/{name}").json()
    model["content"]["cells"][1]["source"] += "\nmine = 1"
    student.ask("PUT", f"api/contents/{name}", json=model).raise_for_status()
    kernel = student.start_kernel()
    assert student.run(kernel, "print(6 * 7)") == ["42\n"]
    killed = student.processes()
    assert len(killed) >= 2
    student.server.send_signal(signal.SIGKILL)
    assert psutil.wait_procs(killed, timeout=60)[1] == []  # the kernel of a killed server ends too
    student.start()
    assert student.server not in killed
    assert student.ask("GET", f"api/contents/{name}").json()["content"]["cells"][1]["source"].endswith("\nmine = 1")
    assert student.run(student.start_kernel(), "print(6 * 7)") == ["42\n"]


def test_who_is_taken_off_the_list_can_no_longer_log_in(hub):
    path = hub.folder / "list"
    whole = path.read_text()
    name = NAMES[-1]
    path.write_text(re.sub(rf"^{name}:.*\n", "", whole, flags=re.M))
    someone = hub.student(name)
    assert someone.log_in().status_code == 403
    path.write_text(whole)
    assert someone.log_in().ok


def used(processes):
    """Memory in bytes that is the processes' own, what they share divided by those who share it; and CPU seconds."""
    memory, seconds = 0, 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            memory += process.memory_full_info().pss
            seconds += sum(process.cpu_times()[:2])
    return memory, seconds


class Lowest:
    """The least memory that was available while something ran, in bytes."""

    def __enter__(self):
        self.start = self.value = psutil.virtual_memory().available
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.done.wait(0.5):
            self.value = min(self.value, psutil.virtual_memory().available)

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


@pytest.mark.parametrize("number", [5, 6])
def test_largest_lessons_stay_below_the_limit_of_a_student(students, number):
    student = students[3]
    before = used(student.processes())[1]
    kernel = run(student, number)
    processes = student.processes()
    peak, seconds = sum(highest(each) for each in processes), used(processes)[1] - before
    student.ask("DELETE", f"api/kernels/{kernel}").raise_for_status()
    name = f"lesson {number:02}"
    note(**{f"a student with {name} at most, MiB": round(peak / 2**20), f"{name}, CPU s": round(seconds)})
    config = (ROOT / "deploy/hub/jupyterhub_config.py").read_text(encoding="utf-8")
    assert peak < 0.75 * int(re.search(r'"COURSE_HUB_MEMORY", "(\d)G"', config)[1]) * GIB


SHARE = float(
    os.environ.get("COURSE_TEST_SHARE", "0.5")
)  # of the memory that is available; by default others work here too


def test_as_many_as_fit_into_memory_work_at_once_up_to_thirty(hub, students):
    for student in students:
        for kernel in student.ask("GET", "api/kernels").json():
            student.ask("DELETE", f"api/kernels/{kernel['id']}")
    run(students[0])
    one, available = used(students[0].processes())[0], psutil.virtual_memory().available
    count = min(len(NAMES), int(SHARE * available / one))
    if count < 2 * len(FEW):
        pytest.skip(
            f"a student needs {one / GIB:.2f} GiB, and {available / GIB:.1f} are available: too little to share"
        )
    others = [hub.student(name) for name in NAMES[len(FEW) : count]]
    everyone = students + others
    with Lowest() as memory:
        began = time.monotonic()
        in_parallel(enter, others)
        in_parallel(Student.start, others)
        started = time.monotonic() - began
        servers = [used(student.processes()) for student in others]
        began = time.monotonic()
        in_parallel(run, everyone[1:])
        ran = time.monotonic() - began
        found = [used(student.processes()) for student in everyone]
    assert sum(len(student.processes()) - 1 for student in everyone) == count
    seconds = [b[1] - a[1] for a, b in zip(servers, found[len(FEW) :], strict=True)]
    note(**{
        "students": count,
        f"{len(others)} servers started at once, s": round(started),
        f"lesson 01 run by {count - 1} at once, s": round(ran),
        "a server, MiB": mean_mib(servers),
        "a server's start, CPU s": round(statistics.fmean(each[1] for each in servers), 1),
        "a student with lesson 01, MiB": mean_mib(found),
        "lesson 01, CPU s": round(statistics.fmean(seconds), 1),
        "all students, GiB": round(sum(each[0] for each in found) / GIB, 1),
        "taken from the machine at most, GiB": round((memory.start - memory.value) / GIB, 1),
    })  # fmt: skip
    assert len(NAMES) * mean_mib(found) * 2**20 < 0.75 * psutil.virtual_memory().total
    assert memory.value > 0.1 * psutil.virtual_memory().total


def highest(process):
    """The most memory in bytes that a process has had."""
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1])


def note(**figures):
    """Add to what was measured."""
    path, machine = HUB / "measured.json", f"{os.cpu_count()} cores, {psutil.virtual_memory().total / GIB:.0f} GiB"
    known = json.loads(path.read_text()) if path.exists() else {}
    known |= {"date": str(datetime.date.today()), "machine": machine} | figures
    path.write_text(json.dumps(known, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def mean_mib(found):
    return round(statistics.fmean(each[0] for each in found) / 2**20)
