"""The class list of the hub: who may log in, with which password, and under which number of the operating system.

``python -m deploy.hub.class_list ada bob`` in the project's folder adds students, or takes names from the standard
input, one per line. It prints a password for each, once: the list holds only what a password is checked against. A line
of the list is ``name:number:salt:key``; to remove a student, remove the line. Only Python itself is needed.
"""

import argparse
import hashlib
import hmac
import os
import re
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[a-z][a-z0-9._-]{0,30}")  # it becomes a folder's name and a part of an address
# Debian and systemd leave these alone: accounts end at 60,000, and what containers take begins at 100,000.
NUMBERS = range(70_000, 100_000)
PRICE = {"n": 2**14, "r": 8, "p": 1}  # of scrypt: 16 MB and some hundredths of a second for each guess
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that a student could misread on paper


class ClassListError(Exception):
    """The list can't be used; the message says why, with the number of the line."""


@dataclass(frozen=True)
class Student:
    """A line of the list; `salt` and `key` are bytes."""

    name: str
    number: int
    salt: bytes
    key: bytes

    def __str__(self):
        return f"{self.name}:{self.number}:{self.salt.hex()}:{self.key.hex()}"


def default_path(environ=os.environ):
    """The list's place: `list` in the class's folder, which is `class/` in the project or what COURSE_CLASS names."""
    return ROOT / environ.get("COURSE_CLASS", "class") / "list"


def read(path):
    """Read a class list.

    Parameters
    ----------
    path : path
        A file with one student per line; empty lines and those that begin with ``#`` are passed over.

    Returns
    -------
    dict of str to Student

    Raises
    ------
    ClassListError
        If there is no such file, everybody on the computer can read it, or a line is wrong.
    """
    path, students, numbers = Path(path), {}, {}
    try:
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
    except FileNotFoundError:
        raise ClassListError(f"There is no class list {path}: python -m deploy.hub.class_list makes one.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ClassListError(f"The class list {path} can't be read ({error}).") from None
    if mode & 0o007 and os.name == "posix":
        raise ClassListError(f"Everybody on this computer can read the class list: chmod 600 {path}")
    for place, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {place}"
        student = _student(line.strip(), where)
        if student.name in students:
            raise ClassListError(f"{where}: {student.name} is in the list twice.")
        if student.number in numbers:
            other = numbers[student.number]
            raise ClassListError(f"{where}: {student.name} has the number {student.number}, which is {other}'s.")
        students[student.name] = student
        numbers[student.number] = student.name
    return students


def _student(line, where):
    parts = line.split(":")
    if len(parts) != 4:
        raise ClassListError(f"{where}: expected name:number:salt:key, found {len(parts) - 1} colons.")
    name, number, *stored = parts
    if not NAME.fullmatch(name):
        raise ClassListError(f"{where}: {_what_a_name_is(name)}")
    if not (number.isascii() and number.isdecimal() and int(number) in NUMBERS):
        raise ClassListError(f"{where}: {number!r} is not a number from {NUMBERS[0]} to {NUMBERS[-1]}.")
    try:
        salt, key = map(bytes.fromhex, stored)
    except ValueError:
        salt = key = b""
    if (len(salt), len(key)) != (16, 32):
        raise ClassListError(f"{where}: the password of {name} is not as python -m deploy.hub.class_list writes it.")
    return Student(name, int(number), salt, key)


def _what_a_name_is(name):
    return f"{name!r} is not a name: use up to 31 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter."


def _key(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **PRICE)


def may_enter(students, name, password):
    """Whether a password is right. It takes as long for a name that isn't there, so that nobody can find out names.

    Parameters
    ----------
    students : dict
        As from :func:`read`.
    name, password : str
        What somebody typed.

    Returns
    -------
    bool
    """
    student = students.get(name) or Student("", 0, bytes(16), bytes(32))
    return hmac.compare_digest(_key(password, student.salt), student.key)


def add(path, names, again=False):
    """Add students to a list, which is made if need be, and replaced in one step.

    Parameters
    ----------
    path : path
        The list.
    names : iterable of str
        Whom to add. Those who are there stay as they are.
    again : bool
        Whether those who are there get a new password; they keep their number, and so their files.

    Returns
    -------
    dict of str to str
        The new passwords.

    Raises
    ------
    ClassListError
        If the list or a name can't be used, or no number is left; then nothing was changed.
    """
    path = Path(path)
    students, passwords = read(path) if path.exists() else {}, {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    # The folder of a student who was removed keeps its number, which nobody else must get.
    taken = [student.number for student in students.values()]
    taken += [folder.stat().st_uid for folder in path.parent.glob("students/*")]
    following = max((number for number in taken if number in NUMBERS), default=NUMBERS[0] - 1) + 1
    for name in names:
        if not NAME.fullmatch(name):
            raise ClassListError(_what_a_name_is(name))
        known = students.get(name)
        if name in passwords or (known and not again):
            continue
        number, following = (known.number, following) if known else (following, following + 1)
        if number not in NUMBERS:
            raise ClassListError(f"No number up to {NUMBERS[-1]} is left for {name}.")
        password, salt = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3)), os.urandom(16)
        line = str(Student(name, number, salt, _key(password, salt)))
        lines = [each for each in lines if not each.startswith(f"{name}:")] + [line]
        passwords[name] = password
    if passwords:
        _write(path, "".join(f"{line}\n" for line in lines))
    return passwords


def _write(path, text):
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def main(given=None):
    """Add students, and print their passwords."""
    parser = argparse.ArgumentParser(prog="python -m deploy.hub.class_list", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="whom to add; without names, they come from the standard input")
    parser.add_argument("--again", action="store_true", help="give a new password to those who are there already")
    parser.add_argument("--list", type=Path, default=default_path(), help="the file; class/list by default")
    chosen = parser.parse_args(given)
    names = chosen.names or [line.strip() for line in sys.stdin if line.strip()]
    try:
        passwords = add(chosen.list, names, chosen.again)
    except (ClassListError, OSError) as error:
        sys.exit(str(error))
    for name in dict.fromkeys(names):
        print(f"{name}  {passwords.get(name, 'is in the list already (--again gives a new password)')}")


if __name__ == "__main__":
    main()
