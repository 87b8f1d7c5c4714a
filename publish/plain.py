"""Values as plain data: what an answer's process and the judge's hand to each other is text that no side can put code into.

A message is JSON with its length before it. Numbers, texts, lists and the like arrive as what they are, arrays as arrays of numbers, and
anything else as a :class:`Strange`, of which only the name is left. Functions and objects of the judge arrive as a :class:`Remote`.
"""

import base64
import builtins
import json
import math
import re
import select
import struct
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np

LARGEST = 16 * 2**20  # bytes of a message from an answer
_DTYPE = re.compile(r"[<>|=]?(?:[biu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|\?)")


class Strange:
    """Stands for something that can't be handed over, or that the judge has no use for."""

    def __repr__(self):
        return f"<{type(self).__name__}>"


class StrangeFunction(Strange):
    """Stands for a function where a value is expected; the judge says that it is one."""

    def __call__(self, *_):
        """Refuse."""
        raise TypeError("a function that is part of an answer can't be called")


class Closed(Exception):
    """The other side is gone."""


def _array(values):
    values = np.ascontiguousarray(values).reshape(np.shape(values))
    return [values.dtype.str, list(values.shape), base64.b64encode(values.tobytes()).decode()]


def _read_array(kind, shape, text):
    if not _DTYPE.fullmatch(kind) or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError(f"arrays of {kind[:20]} are not numbers")
    values = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.dtype(kind))
    return values.reshape(shape).copy()


def _has_numbers(values):
    return values.dtype.kind in "biufc" and bool(_DTYPE.fullmatch(values.dtype.str))


def _encode_simple(value):
    """Encode what JSON or a single word can hold; None if it is something else. Subclasses are reduced to their base."""
    if value is None or isinstance(value, bool):
        return {"same": value}
    if isinstance(value, np.generic) and _has_numbers(np.asarray(value)):
        return {"scalar": _array(value)}
    if isinstance(value, int):
        return {"same": int(value)} if abs(int(value)) < 10**4000 else {"strange": "int"}
    if isinstance(value, float):
        return {"same": float(value)}
    if isinstance(value, str):
        return {"same": str.__str__(value)}
    if value is ...:
        return {"blank": 0}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, (Fraction, Decimal)):
        return {"fraction" if isinstance(value, Fraction) else "decimal": str(value)}
    return None


def encode(value, share=None):
    """Turn a value into what JSON can hold.

    Parameters
    ----------
    value : object
    share : callable, optional
        Takes a function or another object and returns its number, for the side whose objects may be called. Without it they
        are :class:`Strange`.

    Returns
    -------
    dict
    """
    simple = _encode_simple(value)
    if simple is not None:
        return simple
    if isinstance(value, (list, tuple, set, frozenset)):
        kind = next(kind for kind in (list, tuple, set, frozenset) if isinstance(value, kind))
        return {kind.__name__: [encode(each, share) for each in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(key, share), encode(each, share)] for key, each in value.items()]}
    if isinstance(value, BaseException):
        return {"error": describe_error(value)}
    if isinstance(value, np.random.Generator) and share:
        state = value.bit_generator.state
        return {"generator": json.loads(json.dumps(state))}
    if isinstance(value, np.ndarray):
        return encode_array(value)
    if share:
        return {"remote": share(value)}
    return encode_other(value)


def encode_array(values):
    """Encode an array: of numbers as it is, another one as a list of what it holds."""
    if _has_numbers(values):
        return {"array": _array(values)}
    return {"list": [encode(each) for each in values.tolist()]} if values.ndim else {"strange": str(values.dtype)}


def encode_other(value):
    """Encode what NumPy reads as numbers, such as a tensor or a deque, as an array, and anything else by its type's name."""
    if callable(value):
        return {"function": getattr(value, "__name__", type(value).__name__)}
    try:
        values = np.asarray(value)
    except Exception:
        values = None
    if values is not None and _has_numbers(values):
        return {"array": _array(values)}
    return {"strange": type(value).__name__}


def describe_error(error):
    """Describe an exception by its name, the nearest exception that every Python has, and its text."""
    known = next(kind.__name__ for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind)
    try:
        text = str(error)[:2000]
    except Exception:
        text = ""
    return [type(error).__name__[:100], known, text]


def make_error(name, known, text):
    """Make an exception that is caught like the one described, and has its name and text."""
    base = getattr(builtins, str(known), RuntimeError)
    if not (isinstance(base, type) and issubclass(base, Exception)) or issubclass(
        base, (UnicodeError, BaseExceptionGroup)
    ):
        base = RuntimeError  # also for SystemExit and KeyboardInterrupt, which must not end the judge
    return base(str(text)) if base.__name__ == name else type(_word(name), (base,), {})(str(text))


def _word(name):
    return str(name) if str(name).isidentifier() else "Strange"


def decode(data, remote=None):
    """Turn what :func:`encode` made into a value again; ValueError, TypeError or the like if it made no such thing.

    Parameters
    ----------
    data : dict
    remote : callable, optional
        Takes what `share` returned, and makes the object that stands for the other side's.
    """
    ((kind, held),) = data.items()
    if kind in ("list", "tuple", "set", "frozenset"):
        return getattr(builtins, kind)(decode(each, remote) for each in held)
    if kind == "remote" and remote:
        return remote(held)
    return _DECODERS[kind](held, remote)


def _same(held, _):
    if held is not None and type(held) not in (bool, int, float, str):
        raise TypeError(f"{type(held).__name__} is not a simple value")
    return held


def _generator(state, _):
    made = getattr(np.random, state["bit_generator"])()
    made.state = state
    return np.random.Generator(made)


def _written(kind, text, form):
    if not re.fullmatch(form, text):  # others can take long to read: 1E999999999
        raise ValueError(f"no {kind.__name__}")
    return kind(text)


_DECODERS = {
    "same": _same,
    "blank": lambda held, _: ...,
    "scalar": lambda held, _: _read_array(*held)[()],
    "array": lambda held, _: _read_array(*held),
    "complex": lambda held, _: complex(float(held[0]), float(held[1])),
    "fraction": lambda held, _: _written(Fraction, held, r"-?\d{1,2000}(/\d{1,2000})?"),
    "decimal": lambda held, _: _written(Decimal, held, r"-?(\d{1,2000}(\.\d{1,2000})?(E[+-]?\d{1,3})?|NaN|Infinity)"),
    "dict": lambda held, remote: {decode(key, remote): decode(each, remote) for key, each in held},
    "error": lambda held, _: make_error(*held),
    "function": lambda held, _: StrangeFunction(),
    "strange": lambda held, _: type(_word(held), (Strange,), {})(),
    "generator": lambda held, remote: _generator(held, remote) if remote else Strange(),
}


class Line:
    """A connection that sends and receives messages and never waits longer than it should.

    Parameters
    ----------
    socket : socket.socket
    largest : int
        Bytes that a message from the other side may have.
    """

    def __init__(self, socket, largest=LARGEST):
        self._socket, self._largest = socket, largest
        socket.setblocking(False)

    def send(self, message, seconds=math.inf):
        """Send a message, what JSON can hold; TimeoutError if the other side does not read it, Closed if it is gone."""
        text = json.dumps(message).encode()
        rest, end = memoryview(struct.pack("!I", len(text)) + text), time.monotonic() + seconds
        while rest:
            self._wait([], [self._socket], end)
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Closed from None

    def receive(self, seconds=math.inf):
        """Receive a message; TimeoutError if none comes, Closed if the other side is gone or sends what is none."""
        end = time.monotonic() + seconds
        (length,) = struct.unpack("!I", self._read(4, end))
        if length > self._largest:
            raise Closed(f"it hands over more than {self._largest // 2**20} MB")
        text = self._read(length, end)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise Closed("it hands over what can't be read") from None

    def _read(self, count, end):
        found = bytearray()
        while len(found) < count:
            self._wait([self._socket], [], end)
            try:
                part = self._socket.recv(min(count - len(found), 2**20))
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if not part:
                raise Closed
            found += part
        return bytes(found)

    @staticmethod
    def _wait(readers, writers, end):
        # In steps, so that an exception that another thread raises in this one arrives.
        while not any(select.select(readers, writers, [], 0.05)):
            if time.monotonic() > end:
                raise TimeoutError

    def close(self):
        """Close the connection."""
        self._socket.close()
