"""Exercises of lesson 13, serving."""

import functools
import numbers
import random
import re

import numpy as np

from course_utils.checker import Exercise, Wrong, describe, expect, function


def _status(*versions):
    """Write a status reply as a server sends it, for pairs of (version, state)."""
    health = {"error_code": "OK", "error_message": ""}
    return {"model_version_status": [{"version": v, "state": s, "status": health} for v, s in versions]}


def _drawn_status(rng):
    """Draw a status reply with up to five versions, some of them of more digits than others."""
    versions = rng.sample(range(1, 130), rng.randint(0, 5))
    states = ("AVAILABLE", "AVAILABLE", "START", "LOADING", "UNLOADING", "END")
    return _status(*((str(version), rng.choice(states)) for version in versions))


def _statuses():
    rng = random.Random(0)
    return [
        _status(("2", "AVAILABLE"), ("1", "END")),
        _status(("3", "END"), ("2", "AVAILABLE"), ("1", "AVAILABLE")),
        _status(("10", "AVAILABLE"), ("9", "AVAILABLE")),
        _status(("3", "LOADING"), ("2", "UNLOADING"), ("1", "AVAILABLE")),
        _status(("1", "AVAILABLE"), ("2", "AVAILABLE")),
        _status(("2", "END"), ("1", "UNLOADING")),
        _status(("4", "AVAILABLE")),
        _status(("0", "AVAILABLE")),
        _status(),
        *(_drawn_status(rng) for _ in range(20)),
    ]


def _answering(answer):
    """Write answering_version(status): the version that answers a request that names none, or None."""
    function(answer)  # a sentence for what can't be called

    @functools.wraps(answer)
    def boxed(status):
        return [answer(status)]  # None is an answer here

    find = function(boxed)
    for status in _statuses():
        states = {int(v["version"]): v["state"] for v in status["model_version_status"]}
        told = ", ".join(f"{version} {state}" for version, state in states.items()) or "no version at all"
        try:
            _judge_version(find(status)[0], states)
        except Wrong as problem:
            raise Wrong(f"for {told}: {problem}") from None


def _judge_version(found, states):
    available = [version for version, state in states.items() if state == "AVAILABLE"]
    if not available:
        if found is not None:
            raise Wrong(f"expected None, because no version is available, got {describe(found)}.")
        return
    right = max(available)
    if found is None:
        raise Wrong(f"you return None, but version {right} answers.")
    if getattr(found, "shape", None) == ():
        found = np.asarray(found).item()  # a tensor, or an array of one number
    if isinstance(found, bool) or not isinstance(found, numbers.Integral):
        raise Wrong(f"expected the whole number {right}, got {describe(found)}.")
    near = [(version, f"you return {version}, which is {state}: only AVAILABLE versions answer.")
            for version, state in states.items() if state != "AVAILABLE"]  # fmt: skip
    as_text = int(max(map(str, available)))
    near += [(as_text, f"you return {as_text}, but {right} is available too: as text, '9' comes after '10'.")]
    near += [
        (version, f"you return {version}, but {right} is available too: the largest answers.") for version in available
    ]
    expect(int(found), right, near, "you return {value}, but {right} answers.")


def _policy(answer):
    """Write the policy and the labels of a config that serves 7 and 9, stable and canary, and nothing else."""
    if isinstance(answer, (list, tuple)) and all(isinstance(part, str) for part in answer):
        answer = "\n".join(answer)
    if not isinstance(answer, str):
        raise Wrong(f"expected a text, got {describe(answer)}.")
    if "{" not in answer:
        raise Wrong("the text should hold `model_version_policy { ... }` and two `version_labels { ... }`.")
    config = _parsed(answer)
    policy = config.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    if kind is None:
        raise Wrong("without a `model_version_policy` the server serves only the latest version.")
    if kind != "specific":
        count = max(1, policy.latest.num_versions)
        served = ("all", "9", "8 and 9")[count if kind == "latest" and count < 3 else 0]
        also = "but not 7" if served == "9" else "but version 8 was withdrawn"
        raise Wrong(f"the policy '{kind}' serves {served}, {also}: name the two versions.")
    versions = sorted(set(policy.specific.versions))
    if versions != [7, 9]:
        raise Wrong(f"this serves {versions}, but it should serve [7, 9].")
    labels = dict(config.version_labels)
    if labels == {"stable": 9, "canary": 7}:
        raise Wrong("most clients ask for stable, and here they would get version 9, which nobody has tried yet.")
    if labels != {"stable": 7, "canary": 9}:
        raise Wrong(f"the labels are {labels}, but stable should be 7 and canary 9, and there should be no others.")


_SLIPS = (  # what the parser says of a usual mistake, and what to tell the learner
    (r"Expected string but found: '(\w+)'", "the key {0} is text and needs quotes: key: '{0}'"),
    (
        r"VersionPolicy\" has no field named \"version_labels\"",
        "close `model_version_policy {{ ... }}` before `version_labels`",
    ),
    (r"Specific\" has no field", "inside `specific {{ ... }}`, write `versions:` before each number"),
    (r"VersionPolicy\" has no field named \"versions\"", "put the versions into `specific {{ ... }}`"),
    (r"has no field named \"(\w+)\"", "there is no field {0}"),
    (r"should not have multiple \"key\"", "write one `version_labels {{ ... }}` for each label"),
    (r"parse integer: '(\d+)'", "a version is a number: leave out the quotes around {0}"),
    (r"parse integer: (\w+)", "a version is a number, not {0}"),
    (r"multiple \"(\w+)\" fields", "{0} stands there twice"),
    (r"got '(\w+)'", "{0} should be the value of a field: key: '{0}'"),
    (r"identifier or number, got (\W)", "a field's name should stand where {0} does"),
    (r"Expected \":\"", "a colon belongs between a field's name and its value, as in value: 7"),
    (r"Expected \"([^\"]+)\"", "{0} is missing"),
)


def _parsed(text):
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2 as messages

    wrapped = re.match(r"\s*(model_config_list|config)\b", text)
    kind = {"model_config_list": messages.ModelServerConfig, "config": messages.ModelConfigList}
    try:
        found = text_format.Parse(text, kind.get(wrapped and wrapped[1], messages.ModelConfig)())
    except text_format.ParseError as error:
        line, _, said = str(error).partition(":")
        slips = ((re.search(pattern, said), sentence) for pattern, sentence in _SLIPS)
        told = next((sentence.format(*slip.groups()) for slip, sentence in slips if slip), said[:150])
        raise Wrong(f"this can't be read as part of a config. In line {line}, {told}.") from None
    if not wrapped:
        return found
    entries = (found.model_config_list if wrapped[1] == "model_config_list" else found).config
    if len(entries) != 1:
        raise Wrong(f"expected the config of one model, got {len(entries)}.")
    return entries[0]


class _Server:
    """Replies in a fixed order, and what a client did: "ask", or the seconds that it slept."""

    def __init__(self, *replies):
        self.replies, self.did = replies, []

    @property
    def asked(self):
        """How often a reply was asked for."""
        return self.did.count("ask")

    @property
    def pauses(self):
        """The seconds of each pause."""
        return [each for each in self.did if each != "ask"]

    def send(self):
        """Give the next reply."""
        reply = self.replies[min(self.asked, len(self.replies) - 1)]
        self.did.append("ask")
        if self.asked > 50:
            raise RuntimeError("asked more than 50 times")
        if reply is None:
            raise ConnectionError("nobody there")
        return (reply, f"reply {self.asked}") if isinstance(reply, int) else reply

    def sleep(self, seconds):
        """Note a pause of `seconds`, without taking it."""
        self.did.append(round(float(seconds), 12))


_PAUSES = [0.1, 0.2, 0.4, 0.8]
_COURSES = (  # replies, what should come of them, how often to ask
    ((200,), "reply 1", 1),
    ((503, 503, 200), "reply 3", 3),
    ((None, 200), "reply 2", 2),
    ((400,), ValueError, 1),
    ((503, 404), ValueError, 2),
    ((503,), ConnectionError, 5),
    ((None,), ConnectionError, 5),
    ((None, 500, None, 503, 200), "reply 5", 5),
    ((499,), ValueError, 1),
    ((500, 599, 200), "reply 3", 3),
    ((399, 301, 200), "reply 3", 3),
    ((199, 201, 202, 204, 200), "reply 5", 5),
    ((None, None, 503, None, 429), ValueError, 5),
    (((200, ""),), "", 1),
)


def _patient(answer):
    """Write patient(send, sleep): a client that asks again where that can help, and gives up where it can't."""
    function(answer)  # a sentence for what can't be called
    for replies, right, times in _COURSES:
        server = _Server(*replies)
        told = ", ".join("no connection" if code is None else str(code) for code in replies)
        more = "" if replies[-1] in (200, (200, "")) else " and so on"
        try:
            _judge_course(_outcome(answer, server), server, right, times)
        except Wrong as problem:
            raise Wrong(f"where the server answers {told}{more}, {problem}") from None


def _judge_course(found, server, right, times):
    if isinstance(found, _Raised) and server.asked in (0, 51):
        raise Wrong(f"it {_told(found)}.")
    if server.asked > times:
        why = (
            "4xx means that the request is wrong: don't ask again"
            if right is ValueError
            else f"expected {_times(times)}"
        )
        raise Wrong(f"you ask {_times(server.asked)}: {why}.")
    if server.asked < times:
        raise Wrong(f"you ask {_times(server.asked)} instead of {_times(times)}: another try may succeed.")
    if not _is(found, right):
        goal = f"raise {right.__name__}" if isinstance(right, type) else f"return {right!r}"
        raise Wrong(f"it should {goal}, but it {_told(found)}.")
    if len(server.pauses) != times - 1:
        raise Wrong(f"you sleep {_times(len(server.pauses))} and ask {_times(times)}: sleep once between two tries.")
    expect(
        server.pauses, _PAUSES[: times - 1], what="your pauses",
        otherwise="the pauses are {value}, but they should be {right}.",
    )  # fmt: skip
    if server.did[::2] != ["ask"] * times:
        raise Wrong("you sleep before the first try, or twice between two tries: sleep once between two tries.")


def _outcome(answer, server):
    # The two functions must reach the learner's as they are: copies would not count.
    call = function(lambda: [_call(answer, server.send, server.sleep)])
    return call()[0]


class _Raised:
    """An exception that the learner's function raised, and did not return."""

    def __init__(self, error):
        self.error = error


def _call(answer, send, sleep):
    try:
        return answer(send, sleep)
    except Exception as error:
        return _Raised(error)


def _is(found, wanted):
    if isinstance(wanted, type):
        return isinstance(found, _Raised) and isinstance(found.error, wanted)
    return isinstance(found, str) and found == wanted


def _told(found):
    if isinstance(found, _Raised):
        return f"raised {type(found.error).__name__} ({str(found.error)[:100]})"
    return f"returned {describe(found)}" + (": raise it" if isinstance(found, Exception) else "")


def _times(count):
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


EXERCISES = (
    Exercise(
        "serving.answering",
        _answering,
        hint="Keep the versions that are AVAILABLE, turn their text into whole numbers, then take the largest. What if none is left?",
        right="a client that watches a swap needs exactly this check, and it works at any moment of the swap.",
    ),
    Exercise(
        "serving.policy",
        _policy,
        hint="The policy 'specific' takes one 'versions: N' for each version. Each label is an entry with a key and a value.",
        right="to end the trial, move a label, and the clients go on asking for stable and canary. A server may insist that a version is loaded before it gets a label: then send the policy first.",
    ),
    Exercise(
        "serving.patient",
        _patient,
        hint="One loop of five tries. Inside: try to send; return, raise ValueError, or go on to the pause. What comes after the loop?",
        right="real clients add a small random time to each pause. Otherwise, all clients that were turned away come back at the same moment.",
    ),
)
