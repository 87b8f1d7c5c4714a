"""The parts of the hub that need no hub: the class list, what it may be told, its configuration, the student's folder.

`make test-hub` runs a class on it, see test_hub_running.py.
"""

import asyncio
import importlib
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import types
from pathlib import Path, PurePath

import pytest
import traitlets
import yaml

from deploy.hub import class_list, settings, student_server

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "hub"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
not_windows = pytest.mark.skipif(sys.platform == "win32", reason="the hub needs Linux or macOS")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "class" / "list"


def test_list_lets_in_who_has_the_password_and_nobody_else(path):
    passwords = class_list.add(path, ["ada", "bob"])
    students = class_list.read(path)
    assert list(students) == ["ada", "bob"]
    assert [class_list.may_enter(students, name, passwords[name]) for name in ("ada", "bob")] == [True, True]
    for name, password in (("ada", passwords["bob"]), ("ada", ""), ("eve", ""), ("eve", passwords["ada"]), ("", "")):
        assert not class_list.may_enter(students, name, password)
    for password in passwords.values():
        assert len(password) == 14
        assert password not in path.read_text(encoding="utf-8")


def test_same_password_is_stored_differently_and_no_two_are_the_same(path):
    passwords = class_list.add(path, [f"s{number}" for number in range(8)])
    assert len(set(passwords.values())) == 8
    salts = [student.salt for student in class_list.read(path).values()]
    assert len(set(salts)) == 8


def test_known_students_keep_number_and_password_unless_they_ask(path):
    first = class_list.add(path, ["ada", "bob"])
    before = class_list.read(path)
    assert list(class_list.add(path, ["bob", "eve", "eve"])) == ["eve"]
    after = class_list.read(path)
    assert {name: after[name] for name in before} == before
    (again,) = class_list.add(path, ["ada"], again=True).values()
    renewed = class_list.read(path)
    assert renewed["ada"].number == before["ada"].number
    assert class_list.may_enter(renewed, "ada", again)
    assert not class_list.may_enter(renewed, "ada", first["ada"])
    assert class_list.may_enter(renewed, "bob", first["bob"])


def test_comments_and_empty_lines_stay(path):
    class_list.add(path, ["ada"])
    path.write_text("# 2026\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    class_list.add(path, ["bob"])
    assert path.read_text(encoding="utf-8").startswith("# 2026\n\nada:70000:")
    assert list(class_list.read(path)) == ["ada", "bob"]


def test_number_of_a_removed_student_is_not_reused_with_the_folder(path, monkeypatch):
    class_list.add(path, ["ada", "bob"])
    (path.parent / "students" / "bob").mkdir(parents=True)
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    real = Path.stat
    monkeypatch.setattr(
        Path, "stat", lambda self, **o: types.SimpleNamespace(st_uid=70_001) if self.name == "bob" else real(self, **o)
    )
    class_list.add(path, ["eve"])
    assert class_list.read(path)["eve"].number == 70_002


@not_windows
def test_list_is_its_owners_alone_also_after_it_was_replaced(path):
    for names in (["ada"], ["bob"]):
        class_list.add(path, names)
        assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["list"]
    path.chmod(0o644)
    with pytest.raises(
        class_list.ClassListError, match="Everybody on this computer can read the class list: chmod 600"
    ):
        class_list.read(path)


GOOD = f"ada:70000:{'0' * 32}:{'f' * 64}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("bob", "expected name:number:salt:key, found 0 colons"),
        (GOOD + ":x", "found 4 colons"),
        ("Bob" + GOOD[3:], "'Bob' is not a name: use up to 31 of a-z"),
        ("../bob" + GOOD[3:], "'../bob' is not a name"),
        (GOOD.replace("ada", "b" * 32), "is not a name"),
        (GOOD.replace("ada", "bob"), "bob has the number 70000, which is ada's"),
        (GOOD.replace("70000", "70001"), "ada is in the list twice"),
        (GOOD.replace("ada:70000", "bob:0"), "'0' is not a number from 70000 to 99999"),
        (GOOD.replace("ada:70000", "bob:-1"), "'-1' is not a number"),
        (GOOD.replace("ada:70000", "bob:७0001"), "is not a number"),
        ("bob:70001:secret:secret", "the password of bob is not as python -m deploy.hub.class_list writes it"),
        (f"bob:70001:{'0' * 32}:", "the password of bob is not as"),
    ],
)
def test_bad_line_is_named_with_its_number(path, line, said):
    path.parent.mkdir()
    path.write_text(f"# class\n{GOOD}\n{line}\n", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(class_list.ClassListError) as caught:
        class_list.read(path)
    assert f"{path}, line 3: " in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_name_that_can_not_be_used_changes_nothing(path):
    class_list.add(path, ["ada"])
    before = path.read_bytes()
    for name in ("Ada", "1st", "a/b", "..", "ada ", "", "é", "a:b", "a\nb"):
        with pytest.raises(class_list.ClassListError, match="is not a name"):
            class_list.add(path, ["bob", name])
        assert path.read_bytes() == before


def test_command_prints_each_password_once_and_no_list_is_one_sentence(path, capsys, monkeypatch):
    class_list.main(["--list", str(path), "ada"])
    name, password = capsys.readouterr().out.split()
    assert class_list.may_enter(class_list.read(path), name, password)
    monkeypatch.setattr("sys.stdin", ["ada\n", "\n", " bob \n"])
    class_list.main(["--list", str(path)])
    first, second = capsys.readouterr().out.splitlines()
    assert first == "ada  is in the list already (--again gives a new password)"
    assert second.startswith("bob  ")
    with pytest.raises(SystemExit, match="'Eve' is not a name"):
        class_list.main(["--list", str(path), "Eve"])
    with pytest.raises(
        class_list.ClassListError, match=r"There is no class list .*python -m deploy\.hub\.class_list makes one"
    ):
        class_list.read(path.with_name("other"))


def test_hub_listens_on_this_computer_unless_passwords_are_encrypted():
    assert settings.address({}) == "http://127.0.0.1:8000"
    for local in ("http://localhost:80", "http://[::1]:9000"):
        assert settings.address({"COURSE_HUB_ADDRESS": local}) == local
    for open_to_all in ("http://0.0.0.0:8000", "http://192.168.1.2:80", "http://:8000", "http://hub.example.org:80"):
        with pytest.raises(SystemExit, match="passwords would cross the network unencrypted"):
            settings.address({"COURSE_HUB_ADDRESS": open_to_all})
    safe = {"COURSE_HUB_ADDRESS": "https://0.0.0.0:443", "COURSE_HUB_CERTIFICATE": "c.pem", "COURSE_HUB_KEY": "k.pem"}
    assert settings.address(safe) == "https://0.0.0.0:443"
    with pytest.raises(SystemExit, match="https needs COURSE_HUB_CERTIFICATE and COURSE_HUB_KEY"):
        settings.address(safe | {"COURSE_HUB_KEY": ""})
    for wrong in ("8000", "127.0.0.1:8000", "http://127.0.0.1", "ftp://127.0.0.1:8000", "http://127.0.0.1:x", ""):
        with pytest.raises(SystemExit, match="should look like"):
            settings.address({"COURSE_HUB_ADDRESS": wrong})


def test_amounts_are_numbers_above_zero():
    assert settings.amount({}, "COURSE_HUB_CORES", 2) == 2
    assert settings.amount({"COURSE_HUB_CORES": "0.5"}, "COURSE_HUB_CORES", 2) == 0.5
    for wrong in ("two", "0", "-1", "nan", "inf", ""):
        with pytest.raises(SystemExit, match="COURSE_HUB_CORES should be a number above 0"):
            settings.amount({"COURSE_HUB_CORES": wrong}, "COURSE_HUB_CORES", 2)


@not_windows
def test_hub_says_in_a_sentence_why_it_does_not_start(path, tmp_path, monkeypatch):
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    monkeypatch.setattr(settings, "closed", lambda paths: next(iter(paths), None))

    def check(python=sys.executable, is_root=False, trusts=True):
        settings.check(path.parent, python, open_folder, is_root=is_root, trusts=trusts)

    with pytest.raises(SystemExit, match="There is no class list"):
        check()
    class_list.add(path, ["ada"])
    check()
    with pytest.raises(SystemExit, match="run make setup, or name the lessons' Python in COURSE_PYTHON"):
        check(python=tmp_path / "none")
    with pytest.raises(SystemExit, match=r"you are not root, every student.*COURSE_HUB_TRUST=1"):
        check(trusts=False)
    with pytest.raises(SystemExit, match="which is closed to other users"):
        check(is_root=True)
    path.write_text("# nobody\n")
    with pytest.raises(SystemExit, match="is empty"):
        check()


@pytest.fixture
def opened():
    """A folder that others can pass, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        if (place := settings.closed([folder])) is not None:
            pytest.skip(f"{place} is closed")
        yield folder


@not_windows
def test_folder_that_others_can_not_pass_is_found_also_behind_a_link(opened):
    home, link = opened / "home", opened / "python"
    home.mkdir(mode=0o755)
    (home / "python").write_text("")
    (home / "python").chmod(0o644)
    link.symlink_to(home / "python")
    assert settings.closed([link]) is None
    home.chmod(0o700)
    assert settings.closed([link]) == home
    home.chmod(0o711)
    assert settings.closed([link]) is None
    (home / "python").chmod(0o600)
    assert settings.closed([link]) in (link, home / "python")
    assert settings.closed([opened / "none"]) is None


@not_windows
def test_student_gets_every_lesson_once_and_links_to_what_they_lead_to(tmp_path):
    home, root = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    (root / "notebooks").mkdir(parents=True)
    (root / "notebooks" / "01.ipynb").write_text("new")
    student_server.lay_out(home, root)
    (home / "my" / "01.ipynb").write_text("mine")
    (home / ".tmp" / "left").write_text("")
    (root / "notebooks" / "02.ipynb").write_text("later")
    moved = root.rename(tmp_path / "moved")
    student_server.lay_out(home, moved)
    assert {each.name: each.read_text() for each in (home / "my").iterdir()} == {
        "01.ipynb": "mine",
        "02.ipynb": "later",
    }
    assert (home / "notebooks").resolve() == moved / "notebooks"
    assert list((home / ".tmp").iterdir()) == []


def test_what_lessons_lead_to_is_shown_to_students():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert set(re.findall(r"\]\(\.\./([^)/#]+)", text)) <= set(student_server.SHOWN)


class _Recorded(types.SimpleNamespace):
    """A configuration that keeps what is set in a section that is named for the first time."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, _Recorded())
        return getattr(self, name)


def _configuration(monkeypatch, folder, **environ):
    """What jupyterhub_config.py sets, without JupyterHub."""
    class_list.add(folder / "list", ["ada"])
    for name in [name for name in os.environ if name.startswith("COURSE_")]:
        monkeypatch.delenv(name)
    chosen = {"COURSE_CLASS": folder, "COURSE_PYTHON": sys.executable, "COURSE_HUB_TRUST": "1"} | environ
    for name, value in chosen.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(settings, "is_root", lambda: False)
    for name in ("authenticator.ClassListAuthenticator", "spawner.StudentSpawner"):
        module, _, thing = name.partition(".")
        monkeypatch.setitem(sys.modules, f"deploy.hub.{module}", types.SimpleNamespace(**{thing: thing}))
    monkeypatch.setattr("sys.path", list(sys.path))
    c = _Recorded()
    runpy.run_path(str(FOLDER / "jupyterhub_config.py"), {"get_config": lambda: c})
    return c


@not_windows
def test_configuration_as_it_stands(monkeypatch, tmp_path, capsys):
    folder = tmp_path / "class"
    c = _configuration(monkeypatch, folder)
    assert "every student can read and change the others' files" in capsys.readouterr().err
    assert c.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert c.JupyterHub.authenticator_class == "ClassListAuthenticator"
    assert c.ClassListAuthenticator.path == c.StudentSpawner.path == str(folder / "list")
    environment = c.StudentSpawner.environment
    assert environment["PYTHONPATH"] == str(ROOT)
    assert environment["COURSE_DATA"] == str(ROOT / "data")
    assert (Path(environment["JUPYTER_CONFIG_PATH"]) / "jupyter_server_config.json").is_file()
    assert (c.StudentSpawner.mem_limit, c.StudentSpawner.cpu_limit) == ("4G", 2)
    assert "--timeout=3600" in c.JupyterHub.services[0]["command"]
    assert {name: (folder / name).stat().st_mode & 0o777 for name in (".", "hub", "students")} == {
        ".": 0o711, "hub": 0o700, "students": 0o711
    }  # fmt: skip


@not_windows
def test_configuration_follows_its_settings(monkeypatch, tmp_path):
    given = {"COURSE_HUB_IDLE": "60", "COURSE_HUB_MEMORY": "1G", "COURSE_HUB_CORES": "0.5", "COURSE_DATA": tmp_path}
    c = _configuration(monkeypatch, tmp_path / "class", **given)
    assert "--timeout=60" in c.JupyterHub.services[0]["command"]
    assert "--MappingKernelManager.cull_idle_timeout=60" in c.StudentSpawner.args
    assert (c.StudentSpawner.mem_limit, c.StudentSpawner.cpu_limit) == ("1G", 0.5)
    assert c.StudentSpawner.environment["COURSE_DATA"] == str(tmp_path)
    monkeypatch.setenv("COURSE_HUB_TRUST", "")
    with pytest.raises(SystemExit, match="COURSE_HUB_TRUST=1"):
        _configuration(monkeypatch, tmp_path / "class", COURSE_HUB_TRUST="0")


class _Local(traitlets.HasTraits):
    """What StudentSpawner needs of JupyterHub's LocalProcessSpawner: it keeps what would be started."""

    cmd, popen_kwargs = traitlets.List(), traitlets.Dict()
    mem_limit, cpu_limit, user = traitlets.Any(), traitlets.Any(), traitlets.Any()

    async def start(self):
        self.started = list(self.cmd), dict(self.popen_kwargs)


@pytest.fixture
def spawner(monkeypatch, path):
    """A spawner for ada, who has the number 70000, with changes of owner noted and not made."""
    class_list.add(path, ["ada"])
    settings.make_folders(path.parent)
    for name in ("jupyterhub", "jupyterhub.spawner"):
        monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(LocalProcessSpawner=_Local))
    monkeypatch.delitem(sys.modules, "deploy.hub.spawner", raising=False)
    made = importlib.import_module("deploy.hub.spawner").StudentSpawner(
        path=str(path), students=str(path.parent / "students"), user=types.SimpleNamespace(name="ada"), cmd=["serve"]
    )
    monkeypatch.delitem(sys.modules, "deploy.hub.spawner")
    made.owners = []
    monkeypatch.setattr(os, "chown", lambda *given: made.owners.append(given))
    return made


@not_windows
def test_server_runs_as_the_student_in_a_folder_that_only_they_open(spawner):
    if spawner.home.parent.stat().st_uid:
        pytest.skip("a new folder is root's only where root makes it")
    spawner.is_root = True
    asyncio.run(spawner.start())
    cmd, options = spawner.started
    assert cmd == ["serve"]
    assert options == {"cwd": spawner.home, "umask": 0o077, "user": 70_000, "group": 70_000, "extra_groups": []}
    assert spawner.owners == [(spawner.home, 70_000, 70_000)]
    assert spawner.home.stat().st_mode & 0o777 == 0o700
    env = spawner.user_env({"KEPT": "1"})
    assert (env["KEPT"], env["USER"], env["HOME"]) == ("1", "ada", str(spawner.home))
    assert Path(env["TMPDIR"]).parent == spawner.home


@not_windows
def test_systemd_limits_server_and_kernels_before_root_becomes_the_student(spawner):
    if spawner.home.parent.stat().st_uid:
        pytest.skip("a new folder is root's only where root makes it")
    spawner.is_root = spawner.has_systemd = True
    spawner.mem_limit, spawner.cpu_limit = 3 * 2**30, 1.5
    for _ in range(2):
        asyncio.run(spawner.start())
        cmd, options = spawner.started
        assert cmd[:3] == ["systemd-run", "--scope", "--quiet"]
        assert {"--property=MemoryMax=3221225472", "--property=CPUQuota=150%"} <= set(cmd)
        assert cmd[-6:] == ["setpriv", "--reuid=70000", "--regid=70000", "--clear-groups", "--no-new-privs", "serve"]
        assert "user" not in options
    spawner.mem_limit = spawner.cpu_limit = None
    asyncio.run(spawner.start())
    assert not [word for word in spawner.started[0] if word.startswith("--property")]


@not_windows
def test_folder_of_another_number_is_not_handed_over(spawner, monkeypatch):
    spawner.is_root = True
    spawner.home.mkdir()
    monkeypatch.setattr(Path, "stat", lambda self, **_: types.SimpleNamespace(st_uid=70_009, st_mode=0o040700))
    with pytest.raises(RuntimeError, match="belongs to 70009, not to 70000"):
        asyncio.run(spawner.start())
    assert spawner.owners == []


def test_readme_names_every_setting_and_no_other():
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    named = set(re.findall(r"COURSE_(?:HUB_\w+|CLASS|PYTHON)\b", code))
    assert set(re.findall(r"COURSE_(?:HUB_\w+|CLASS|PYTHON)\b", README)) == named
    for name, default in (("MEMORY", "4G"), ("CORES", "2"), ("IDLE", "3600")):
        assert re.search(rf'"COURSE_HUB_{name}", "?{default}\b', code)
        assert re.search(rf"`COURSE_HUB_{name}={default}`", README)


def test_class_is_ignored_by_git():
    ignored = subprocess.run(
        ["git", "check-ignore", "class/list", "build/hub"], cwd=ROOT, capture_output=True, text=True
    )
    assert ignored.returncode == 128 or ignored.stdout.split() == ["class/list", "build/hub"]  # 128: no clone


def test_values_for_kubernetes_fit_the_image_and_the_modules():
    values = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
    image = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    one = values["singleuser"]
    assert one["cmd"][:3] == ["python", "-m", "deploy.hub.student_server"]
    assert {f"--MappingKernelManager.cull_idle_timeout={values['cull']['timeout']}"} < set(one["cmd"][3:])
    assert one["storage"]["homeMountPath"] == re.search(r"--home-dir (\S+)", image)[1]
    assert str(one["uid"]) == re.search(r"--uid (\d+)", image)[1]
    assert one["memory"]["guarantee"][:-1] < one["memory"]["limit"][:-1]
    mounted = {each["mountPath"] for each in values["hub"]["extraFiles"].values()}
    prefix = re.search(r'sys\.path\.insert\(0, "([^"]+)"\)', values["hub"]["extraConfig"]["class"])[1]
    for module in ("class_list", "authenticator"):
        assert f"{prefix}/deploy/hub/{module}.py" in mounted
        assert f"--set-file hub.extraFiles.{module}.stringData=deploy/hub/{module}.py" in README
    assert f'"{prefix}/list"' in values["hub"]["extraConfig"]["class"]
    compile(values["hub"]["extraConfig"]["class"], "extraConfig", "exec")
    assert f"-t {one['image']['name']}:{one['image']['tag']} ." in README
    chart, hub = re.search(
        r"chart ([\d.]+), which brings JupyterHub ([\d.]+)\)", (FOLDER / "values.yaml").read_text()
    ).groups()
    assert f"--version {chart} " in README
    assert re.search(r"^ARG JUPYTERHUB=(.+)$", image, re.M)[1] == hub


def test_image_copies_what_it_runs_and_shows_and_nothing_that_is_ignored():
    image = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    place = re.search(r"^WORKDIR (.+)$", image, re.M)[1]
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", image, re.M) for name in line.split()]
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert {"pyproject.toml", "constraints.txt", *student_server.SHOWN} <= set(copied)
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {name for name in copied for rule in ignored if PurePath(name).match(rule.removeprefix("**/"))} == set()
    modules = re.findall(r"-m ([\w.]+)", image.replace('", "', " "))
    paths = [name.replace(".", "/") for name in modules if name.startswith(("course_utils", "deploy"))]
    paths += re.findall(rf"={place}/(\S+)", image)  # of the environment
    assert len(paths) == 4
    for path in paths:
        assert (ROOT / path).is_dir() or (ROOT / f"{path}.py").is_file(), path
        assert any(PurePath(path).is_relative_to(name) for name in copied), path


def test_measured_figures_are_those_that_the_pages_quote():
    measured = json.loads((FOLDER / "measured.json").read_text(encoding="utf-8"))
    one, most = measured["a student with lesson 01, MiB"], measured["a student with lesson 06 at most, MiB"]
    pages = [README, (ROOT / "TEACHING.md").read_text(encoding="utf-8")]
    for page in pages:
        assert f"{one} MiB | {measured['lesson 01, CPU s']} " in page
        for name in ("lesson 05", "lesson 06"):
            assert f"{measured[f'a student with {name} at most, MiB']} MiB | {measured[f'{name}, CPU s']} " in page
        assert f"{measured['students']} students with lesson 01" in page
        assert f"{measured['all students, GiB']} GiB" in page
    rows = re.findall(r"^\| ([\d,]+) \| ([\d.]+) (G|T)iB \| ([\d.]+) (G|T)iB \|", pages[1], re.M)
    assert [row[0] for row in rows] == ["5", "30", "300", "3,000"]
    for count, *sizes in rows:
        for size, unit, each in ((*sizes[:2], one), (*sizes[2:], most)):
            gib = int(count.replace(",", "")) * each / 1024
            assert float(size) == pytest.approx(gib if unit == "G" else gib / 1024, rel=0.05)
