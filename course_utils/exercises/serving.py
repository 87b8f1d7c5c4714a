"""Exercises of lesson 13, serving."""

import functools
import numbers

from course_utils.checker import Exercise, Wrong, describe, function


def _status(*versions):
    """Write a status reply as a server sends it, for pairs of (version, state)."""
    health = {"error_code": "OK", "error_message": ""}
    return {"model_version_status": [{"version": v, "state": s, "status": health} for v, s in versions]}


_STATUSES = (
    (_status(("2", "AVAILABLE"), ("1", "END")), 2),
    (_status(("3", "END"), ("2", "AVAILABLE"), ("1", "AVAILABLE")), 2),
    (_status(("10", "AVAILABLE"), ("9", "AVAILABLE")), 10),
    (_status(("3", "LOADING"), ("2", "UNLOADING"), ("1", "AVAILABLE")), 1),
    (_status(("1", "AVAILABLE"), ("2", "AVAILABLE")), 2),
)
_NOBODY = _status(("2", "END"), ("1", "UNLOADING"))


def _answering(answer):
    """Write answering_version(status): the version that answers a request that names none, or None."""
    function(answer)  # a sentence for what can't be called

    @functools.wraps(answer)
    def boxed(status):
        return [answer(status)]  # None is an answer here

    find = function(boxed)
    for status, wanted in _STATUSES:
        found = find(status)[0]
        said = f"for {', '.join(v['version'] + ' ' + v['state'] for v in status['model_version_status'])} you give "
        if isinstance(found, str) and found.isdecimal():
            if int(found) == wanted:
                raise Wrong(said + f"the text {found!r}: a whole number is wanted.")
            found = int(found)
        if found is None:
            raise Wrong(said + f"None, and {wanted} answers.")
        if isinstance(found, bool) or not isinstance(found, numbers.Integral):
            raise Wrong(said + f"{describe(found)}, and a whole number is wanted.")
        states = {int(v["version"]): v["state"] for v in status["model_version_status"]}
        if found not in states:
            raise Wrong(said + f"{found}, which is not among them.")
        if states[found] != "AVAILABLE":
            raise Wrong(said + f"{found}, which is {states[found]}: only AVAILABLE versions answer.")
        if found != wanted:
            as_text = max(str(number) for number, state in states.items() if state == "AVAILABLE")
            remark = ": as text, '9' comes after '10'" if str(found) == as_text else ": the largest answers"
            raise Wrong(said + f"{found}, and {wanted} is available too{remark}.")
    try:
        found = answer(_NOBODY)
    except Exception as error:
        raise Wrong(f"where no version is available it raised {type(error).__name__}: None is wanted there.") from None
    if found is not None:
        raise Wrong(f"where no version is available you give {describe(found)}, and None is wanted.")


def _policy(answer):
    """Write the policy and the labels of a config that serves 7 and 9, stable and canary, and nothing else."""
    if not isinstance(answer, str):
        raise Wrong(f"a text is wanted, and this is {describe(answer)}.")
    if answer.isdecimal() or not answer.strip() or "{" not in answer:
        raise Wrong("the text should hold 'model_version_policy { ... }' and 'version_labels { ... }'.")
    from google.protobuf import text_format
    from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

    try:
        config = text_format.Parse(answer, ModelConfig())
    except text_format.ParseError as error:
        raise Wrong(f"this can't be read as a part of a config: {str(error)[:150].rstrip('.')}.") from None
    policy = config.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    if kind is None:
        raise Wrong("there is no model_version_policy, so the server would serve the latest version only.")
    if kind != "specific":
        count = max(1, policy.latest.num_versions)
        served = ("all", "9", "8 and 9")[count if kind == "latest" and count < 3 else 0]
        also = "without 7" if served == "9" else "and version 8 was withdrawn"
        raise Wrong(f"the policy '{kind}' serves {served}, {also}: name the versions that are wanted.")
    versions = sorted(set(policy.specific.versions))
    if versions != [7, 9]:
        raise Wrong(f"this serves {versions}, and 7 and 9 are wanted.")
    labels = dict(config.version_labels)
    if labels == {"stable": 9, "canary": 7}:
        raise Wrong("most clients ask for stable, and here they would get 9, which nobody knows yet.")
    if labels != {"stable": 7, "canary": 9}:
        raise Wrong(f"the labels are {labels}, and stable should be 7, canary 9.")


class _Server:
    """Replies in a fixed order, and how they were asked for."""

    def __init__(self, *replies):
        self.replies, self.asked, self.pauses = replies, 0, []

    def send(self):
        """Give the next reply."""
        reply = self.replies[min(self.asked, len(self.replies) - 1)]
        self.asked += 1
        if self.asked > 50:
            raise RuntimeError("asked more than 50 times")
        if reply is None:
            raise ConnectionError("nobody there")
        return reply, f"reply {self.asked}"


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
)


def _patient(answer):
    """Write patient(send, sleep): a client that asks again where that can help, and gives up where it can't."""
    function(answer)  # a sentence for what can't be called
    for replies, wanted, times in _COURSES:
        server = _Server(*replies)
        told = ", ".join("no connection" if code is None else str(code) for code in replies)
        where = f"where the server answers {told}" + ("" if replies[-1] == 200 else " and so on") + ", "
        found = _outcome(answer, server)
        if isinstance(found, _Raised) and server.asked in (0, 51):
            raise Wrong(where + f"it {_told(found)}.")
        if server.asked > times:
            again = (
                "4xx means that the request is wrong: ask no more" if wanted is ValueError else f"{times} are wanted"
            )
            raise Wrong(where + f"you ask {_times(server.asked)}: {again}.")
        if server.asked < times:
            raise Wrong(where + f"you ask {_times(server.asked)}, and {times} are wanted: that may pass.")
        if not _is(found, wanted):
            wish = f"{wanted.__name__} raised" if isinstance(wanted, type) else f"{wanted!r} returned"
            raise Wrong(where + f"{wish} is wanted, and it {_told(found)}.")
        if len(server.pauses) not in (times - 1, times) or (times < 5 and len(server.pauses) != times - 1):
            raise Wrong(where + f"you sleep {_times(len(server.pauses))}: once between two tries is wanted.")
        if any(abs(has - want) > 1e-9 for has, want in zip(server.pauses, _PAUSES, strict=False)):
            raise Wrong(where + f"the pauses are {server.pauses[:4]}, and {_PAUSES[: times - 1]} are wanted.")


def _outcome(answer, server):
    def sleep(seconds):
        server.pauses.append(round(float(seconds), 12))

    # The two functions must reach the learner's as they are: copies would not count.
    call = function(lambda: [_call(answer, server.send, sleep)])
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


_GOOD = """def patient(send, sleep):
    pause = 0.1
    for attempt in range(5):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if 400 <= code < 500:
                raise ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        if attempt < 4:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")"""
_ANSWERING = """def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available, default=None)"""
_CONFIG = """policy_and_labels = \"\"\"
model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
\"\"\""""

EXERCISES = (
    Exercise(
        "serving.answering",
        _answering,
        hint="Keep the versions that are AVAILABLE, turn their text into whole numbers, then take the largest. What if none is left?",
        right="a client that watches a swap asks exactly this, and needs no luck with the moment.",
    ),
    Exercise(
        "serving.policy",
        _policy,
        hint="The policy 'specific' takes one 'versions: N' for each version. Each label is an entry with a key and a value.",
        right="to end the trial, move a label or a number; the clients keep asking for stable and canary.",
    ),
    Exercise(
        "serving.patient",
        _patient,
        hint="One loop of five tries. Inside: try to send; return, raise ValueError, or go on to the pause. What comes after the loop?",
        right="real clients add a little chance to each pause: else all that were turned away come back at the same moment.",
    ),
)
