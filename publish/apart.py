"""Answers in a process of their own: ``python -m publish.apart`` is started by :mod:`publish.grading`, and not by hand.

The process reads the assignment's first cells once. For each answer it forks, before any line of a student has run; the fork runs the
answer and says what it is, or calls it with what the judge sends. It knows no check and no solution, and what it says is plain data.
"""

import ast
import contextlib
import ctypes
import gc
import json
import linecache
import os
import signal
import socket
import sys
import sysconfig
import tempfile
import types
from pathlib import Path

from course_utils import checker, data, notebooks
from publish import plain

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN, OUT_OF_MEMORY = 77, 78  # how an answer's process ends that reached for what it must not, or for too much
OTHER_CELLS = 5  # seconds that each of the student's other cells may take
MEMORY = 3 * 2**30  # bytes that an answer may take
_SILENT = {"check", "hint", "solution", "print"}
_SHORT = {"np": "numpy", "tf": "tensorflow", "plt": "matplotlib.pyplot"}


# What an answer is, apart from names and looks.


class _Plain(ast.NodeTransformer):
    """Takes docstrings, annotations, imports, prints and checks out of code, and numbers the names that it binds."""

    def __init__(self, tree):
        self._origin = dict(_SHORT)
        self._bound = {}
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                start = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                self._origin |= {each.asname or each.name: start + each.name for each in node.names}
        for name in _names_in_order(tree):
            self._bound.setdefault(name, f"v{len(self._bound)}")

    def _name(self, name):
        return self._bound.get(name) or self._origin.get(name, name)

    def visit_Name(self, node):
        return ast.Name(self._name(node.id), node.ctx)

    def visit_arg(self, node):
        return ast.arg(self._name(node.arg), None)

    def visit_AnnAssign(self, node):
        return self.visit(ast.Assign([node.target], node.value)) if node.value else None

    def visit_FunctionDef(self, node):
        node = self.generic_visit(node)
        body = [each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
        return ast.FunctionDef(self._name(node.name), node.args, body, node.decorator_list, None)

    def visit_Import(self, node):
        return None

    visit_ImportFrom = visit_Import

    def visit_Expr(self, node):
        call = node.value
        silent = isinstance(call, ast.Call) and getattr(call.func, "id", "") in _SILENT
        return None if silent else self.generic_visit(node)


def _names_in_order(tree):
    """The names that code binds, in the order in which they first stand there."""
    bound, seen = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Name):
            seen.append((node.lineno, node.col_offset, node.id))
            bound |= {node.id} if isinstance(node.ctx, ast.Store) else set()
            continue
        else:
            continue
        seen.append((node.lineno, node.col_offset, node.name if isinstance(node, ast.FunctionDef) else node.arg))
    return [name for *_, name in sorted(seen) if name in bound]


def _last_bindings(nodes):
    """Top-level statements without functions that are defined again below, as the blank one above an answer is."""
    last = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    return [node for node in nodes if not isinstance(node, ast.FunctionDef) or last[node.name] is node]


def normal(source, least=40):
    """Write an answer in a form that does not change with names, comments, docstrings, annotations, imports and looks.

    Parameters
    ----------
    source : str
    least : int
        Nodes of the syntax tree below which an answer is too short to tell anything: many would write it so.

    Returns
    -------
    str
        Empty for an answer that is short, holds no function, or can't be read.
    """
    try:
        tree = ast.Module(_last_bindings(notebooks.parse(source)[0]), [])
        tree = _Plain(tree).visit(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    size = sum(1 for _ in ast.walk(tree))
    has_function = any(isinstance(node, ast.FunctionDef) for node in tree.body)
    return ast.dump(tree) if size >= least and has_function else ""


# The walls around an answer. They keep honest slips and usual tricks away; they are not a prison, as TEACHING.md says.

_LISTS = frozenset({"os.listdir", "os.scandir"})
_NEVER = frozenset(  # names of Python's audit events
    """os.system os.exec os.posix_spawn os.spawn os.fork os.forkpty subprocess.Popen pty.spawn os.kill os.killpg os.link os.symlink
    os.chdir os.fchdir signal.pthread_kill socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo gc.get_objects
    gc.get_referrers gc.get_referents sys._current_frames sys.addaudithook resource.setrlimit resource.prlimit ctypes.string_at
    ctypes.addressof ctypes.call_function""".split()  # noqa: SIM905
)
_CHANGES = frozenset(
    ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.utime", *_LISTS)
)
# What scikit-learn asks libraries for, to count their threads.
_LIBRARY_CALLS = ("openblas_", "scipy_openblas_", "omp_", "MKL_", "mkl_", "bli_", "flexiblas_", "dl_iterate_phdr")
_MODULES = frozenset({"_posixsubprocess", "_ctypes", "_testcapi", "_testinternalcapi"})


def _guard(readable, hidden, lists):
    """Make an audit hook that ends the process where code reads, writes, starts or calls what an answer has no use for."""
    leave, starts, text, split, join, lower = os._exit, str.startswith, str.__str__, str.split, str.join, str.lower
    decode, kinds, length, never, changes, modules, is_a = (
        bytes.decode,
        (str, bytes, int),
        len,
        _NEVER,
        _CHANGES,
        _MODULES,
        isinstance,
    )
    library_calls, listings = _LIBRARY_CALLS, _LISTS
    forbidden, flags = FORBIDDEN, os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def is_allowed(path, writes, listed):
        if path is None or is_a(path, int):
            return True
        if not is_a(path, kinds):
            return False
        path = decode(path) if is_a(path, bytes) else text(path)
        parts = [part for part in split(path, "/") if part not in ("", ".")]
        if ".." in parts:
            return False
        if not starts(path, "/"):
            return True  # in the folder of its own
        path = join("/", ["", *parts, ""])
        if starts(lower(path), hidden) or (writes and path != "/dev/null/"):  # some systems take A for a
            return False
        return starts(path, readable) or (listed and path in lists)

    def hook(event, arguments):
        try:
            if event in never:
                leave(forbidden)
            if event == "import" and arguments[0] in modules:
                leave(forbidden)
            if event == "ctypes.dlsym" and not starts(text(arguments[1]), library_calls):
                leave(forbidden)
            if event == "open":
                writes = arguments[2] if length(arguments) > 2 and is_a(arguments[2], int) else 0
                if not is_allowed(arguments[0], writes & flags, False):
                    leave(forbidden)
            elif event in changes:
                listing = event in listings
                for each in arguments[: 2 if event == "os.rename" else 1]:
                    if not is_allowed(each, not listing, listing):
                        leave(forbidden)
        except BaseException:  # a traceback would lead to this function
            leave(forbidden)

    return hook


def _places():
    """Where an answer may read, what is hidden there all the same, and folders that imports list."""
    package = Path(checker.__file__).parent
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values(), package, notebooks.FOLDER}
    folders |= {data.data_folder(), "/usr/lib", "/usr/share", "/etc", "/dev/null", "/dev/urandom"}
    folders |= {"/sys/fs/cgroup", "/proc/self/maps", "/proc/cpuinfo"}  # where scikit-learn looks for processors
    folders |= {each for each in sys.path if "site-packages" in each or "dist-packages" in each}
    both = {f"{each}/" for folder in folders for each in (folder, Path(folder).resolve()) if str(each) != "/"}
    hidden = {f"{each}/exercises/".lower() for each in (package, package.resolve())}
    return tuple(sorted(both)), tuple(sorted(hidden)), frozenset(f"{each}/" for each in (*sys.path, ROOT))


def _limit_resources():
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) if sys.platform == "linux" else 0
        if pages:
            most = pages * resource.getpagesize() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**26, 2**26))
        resource.setrlimit(resource.RLIMIT_CPU, (600, 600))


# One answer.


class _Shell:
    """What ``get_ipython()`` returns: magics and commands do nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


def _stop(*_):
    raise TimeoutError("it takes too long")


def _run(source, number, namespace, seconds=0):
    """Run a cell as Jupyter does, and describe what went wrong; None if nothing did. It may take some seconds, or any time if 0."""
    nodes, faults, text = notebooks.parse(source)
    if faults:
        return f"the cell is not complete Python ({faults[0][1]})"
    name = f"<cell {number}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        exec(compile(ast.Module(nodes, []), name, "exec"), namespace)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except BaseException as error:
        kind, _, words = plain.describe_error(error)
        return f"the cell raised {kind} ({words.splitlines()[0][:200]})" if words.strip() else f"the cell raised {kind}"
    return None


def _stand_for(line, held):
    """Make a function, or an object with methods, whose calls the judge's process answers."""
    number, names = held

    def ask(name):
        def call(*arguments, **named):
            given = [plain.encode(arguments), plain.encode(named)]
            line.send({"ask": [number, name, *given]})
            return _answered(line.receive(), lambda held: _stand_for(line, held))

        return call

    if names == [""]:
        return ask("")
    return types.SimpleNamespace(**{name: ask(name) for name in names})


def _answered(message, remote):
    if "raise" in message:
        raise plain.make_error(*message["raise"])
    return plain.decode(message["return"], remote)


def _serve(line, answer):
    """Call the answer with whatever the judge sends, as long as it sends something."""
    remote = lambda held: _stand_for(line, held)  # noqa: E731
    while True:
        arguments = plain.decode(line.receive()["call"], remote)
        try:
            result = {"return": plain.encode(answer(*arguments))}
        except BaseException as error:
            result = {"raise": plain.describe_error(error)}
        line.send(result)


def _answer(line, namespace):
    """Run an answer: first say how it is written, which no line of it can change; then run it, and say what it is."""
    order = line.receive()
    cells, place = order["cells"], order["place"]
    line.send({"normal": [normal(source) for source in cells]})
    fault = None
    for number, source in enumerate(cells):
        failed = _run(source, number, namespace, 0 if number == place else OTHER_CELLS)
        fault = failed if place in (None, number) else fault
    answer = namespace.get(order["variable"], ...)
    if checker._is_blank(answer):
        line.send({"fault": fault} if fault else {"value": plain.encode(...)})
    elif callable(answer):
        line.send({"function": getattr(answer, "__name__", type(answer).__name__)})
        _serve(line, answer)
    else:
        line.send({"value": plain.encode(answer)})


def _begin(connection, folder, namespace, guard):
    """Become the process of one answer; it ends here, and returns to nobody."""
    status = 1
    try:
        os.setsid()
        _follow_parent()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.chdir(folder)
        sys.dont_write_bytecode = True
        sys.path[:] = [each for each in sys.path if each]
        _limit_resources()
        signal.signal(signal.SIGALRM, _stop)
        sys.addaudithook(guard)
        _answer(plain.Line(connection, 2**31), namespace)
        status = 0
    except plain.Closed:
        status = 0
    except MemoryError:
        status = OUT_OF_MEMORY
    finally:
        os._exit(status)


# The process that forks.


def _without_exercises():
    """Put empty functions where the lessons' checks are: nothing is checked here."""
    stand_in = types.ModuleType("course_utils.exercises")
    stand_in.check = stand_in.hint = stand_in.solution = lambda *_: None
    sys.modules["course_utils.exercises"] = stand_in
    sys.modules["course_utils"].exercises = stand_in


def _set_up(cells):
    namespace = {"__name__": "__main__", "get_ipython": _Shell}
    for number, source in enumerate(cells):
        fault = _run(source, f"{number} of the set-up", namespace)
        if fault:
            raise RuntimeError(fault)
    return namespace


def _follow_parent():
    """Let Linux end this process with the one that started it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def _tell(control, message):
    control.sendall(json.dumps(message).encode() + b"\n")


def main():
    """Set up, and fork for each connection that comes, until nobody is there any more."""
    _follow_parent()
    control = socket.socket(fileno=os.dup(0))
    _without_exercises()
    try:
        namespace = _set_up(json.loads(sys.argv[1]))
    except Exception as error:
        _tell(control, {"fault": str(error)})
        return
    guard = _guard(*_places())
    gc.collect()
    gc.freeze()
    _tell(control, {"ready": True})
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, 64, 1)
        if not order:
            return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            child = os.fork()
            if not child:
                control.close()
                _begin(socket.socket(fileno=descriptors[0]), folder, namespace, guard)
            os.close(descriptors[0])
            _tell(control, {"child": child})
            _, status = os.waitpid(child, 0)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)  # what it started
        _tell(control, {"status": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()
