# Answers to the exercises of lesson 13: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% serving.answering: solution
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available, default=None)


# %% serving.answering: right, a loop that keeps the largest so far
def answering_version(status):
    answers = None
    for version in status["model_version_status"]:
        number = int(version["version"])
        if version["state"] == "AVAILABLE" and (answers is None or number > answers):
            answers = number
    return answers


# %% serving.answering: right, sorted and the last taken
def answering_version(status):
    states = {int(entry["version"]): entry["state"] for entry in status["model_version_status"]}
    for version in sorted(states, reverse=True):
        if states[version] == "AVAILABLE":
            return version
    return None


# %% serving.answering: right, a NumPy array
def answering_version(status):
    available = [version["version"] for version in status["model_version_status"] if version["state"] == "AVAILABLE"]
    numbers = np.array(available, dtype=int)
    return numbers.max() if numbers.size else None


# %% serving.answering: right, a comparison of texts by length first
def answering_version(status):
    names = [entry["version"] for entry in status["model_version_status"] if entry["state"] == "AVAILABLE"]
    if not names:
        return None
    return int(max(names, key=lambda name: (len(name), name)))


# %% serving.answering: right, a tensor
def answering_version(status):
    numbers = [int(entry["version"]) for entry in status["model_version_status"] if entry["state"] == "AVAILABLE"]
    return tf.reduce_max(numbers) if numbers else None


# %% serving.answering: wrong, "only AVAILABLE"
def answering_version(status):
    return max(int(v["version"]) for v in status["model_version_status"])


# %% serving.answering: wrong, "expected the whole number 2, got the text '2'"
def answering_version(status):
    available = [v["version"] for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available, default=None)


# %% serving.answering: wrong, "as text"
def answering_version(status):
    return int(max(v["version"] for v in status["model_version_status"] if v["state"] == "AVAILABLE"))


# %% serving.answering: wrong, "the largest answers"
def answering_version(status):
    return next(int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE")


# %% serving.answering: wrong, "you return None, but version 2 answers"
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "available"]
    return max(available, default=None)


# %% serving.answering: wrong, "raised ValueError"
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available)


# %% serving.answering: wrong, "expected None, because no version is available, got the number 0"
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available, default=0)


# %% serving.policy: solution
policy_and_labels = """
model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.policy: right, colons and lists of the text format
policy_and_labels = """
version_labels: [ { key: "canary", value: 9 }, { key: "stable", value: 7 } ]
model_version_policy: < specific: < versions: [ 9, 7 ] > >
"""


# %% serving.policy: right, joined from pieces
served = [7, 9]
policy = " ".join(f"versions: {version}" for version in served)
labels = [f"version_labels {{ key: '{key}' value: {served[place]} }}" for place, key in enumerate(("stable", "canary"))]
policy_and_labels = f"model_version_policy {{ specific {{ {policy} }} }} " + " ".join(labels)


# %% serving.policy: right, the whole config of the model
policy_and_labels = """model_config_list { config {
    name: 'digits' base_path: '/models/digits' model_platform: 'tensorflow'
    model_version_policy { specific { versions: 9 versions: 7 } }
    version_labels { key: 'stable' value: 7 } version_labels { key: 'canary' value: 9 }
} }"""


# %% serving.policy: right, a config and a list of its parts
policy_and_labels = [
    "config {",
    "model_version_policy { specific { versions: 7 versions: 9 } }",
    *(f"version_labels {{ key: '{name}' value: {number} }}" for name, number in (("stable", 7), ("canary", 9))),
    "}",
]


# %% serving.policy: wrong, "In line 1, put the versions into `specific"
policy_and_labels = """model_version_policy { versions: 7 versions: 9 }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }"""


# %% serving.policy: wrong, "In line 2, close `model_version_policy { ... }` before `version_labels`"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 } }"""


# %% serving.policy: wrong, "In line 1, a field's name should stand where { does"
policy_and_labels = """{ model_version_policy { specific { versions: 7 versions: 9 } } }"""


# %% serving.policy: wrong, "In line 2, a colon belongs between a field's name and its value"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key = 'stable' value = 7 }
version_labels { key = 'canary' value = 9 }"""


# %% serving.policy: wrong, "In line 2, a version is a number, not seven"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: seven }
version_labels { key: 'canary' value: nine }"""


# %% serving.policy: wrong, "model_version_policy stands there twice"
policy_and_labels = """model_version_policy { specific { versions: 7 } }
model_version_policy { specific { versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }"""


# %% serving.policy: wrong, "In line 3, } is missing"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9"""


# %% serving.policy: wrong, "leave out the quotes around 9"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: '9' }"""


# %% serving.policy: wrong, "In line 2, stable should be the value of a field: key: 'stable'"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { 'stable': 7 }
version_labels { 'canary': 9 }"""


# %% serving.policy: wrong, "In line 2, write one `version_labels { ... }` for each label"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 7 key: 'canary' value: 9 }"""


# %% serving.policy: wrong, "In line 2, there is no field version_label"
policy_and_labels = """model_version_policy { specific { versions: 7 versions: 9 } }
version_label { key: 'stable' value: 7 }
version_label { key: 'canary' value: 9 }"""


# %% serving.policy: wrong, "expected the config of one model, got 2"
policy_and_labels = """config { model_version_policy { specific { versions: 7 } } version_labels { key: 'stable' value: 7 } }
config { model_version_policy { specific { versions: 9 } } version_labels { key: 'canary' value: 9 } }"""


# %% serving.policy: wrong, "serves 8 and 9, but version 8 was withdrawn"
policy_and_labels = """
model_version_policy { latest { num_versions: 2 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.policy: wrong, "serves 9, but not 7"
policy_and_labels = """
model_version_policy { latest { num_versions: 1 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.policy: wrong, "serves all"
policy_and_labels = """
model_version_policy { all { } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.policy: wrong, "should serve [7, 9]"
policy_and_labels = """
model_version_policy { specific { versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.policy: wrong, "nobody has tried"
policy_and_labels = """
model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 9 }
version_labels { key: 'canary' value: 7 }
"""


# %% serving.policy: wrong, "write `versions:` before each number"
policy_and_labels = """
model_version_policy { specific { versions: 7, 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.policy: wrong, "can't be read"
policy_and_labels = "specific { versions: 7 versions: 9 }"


# %% serving.policy: wrong, "the key stable is text and needs quotes: key: 'stable'"
policy_and_labels = """
model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: stable value: 7 }
version_labels { key: canary value: 9 }
"""


# %% serving.policy: wrong, "without a `model_version_policy`"
policy_and_labels = """
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.policy: wrong, "there should be no others"
policy_and_labels = """
model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
version_labels { key: 'withdrawn' value: 9 }
"""


# %% serving.policy: wrong, "should serve [7, 9]"
policy_and_labels = """
model_version_policy { specific { versions: 7 versions: 8 versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""


# %% serving.patient: solution
def patient(send, sleep):
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
    raise ConnectionError("no answer in five tries")


# %% serving.patient: right, a loop over the pauses
def patient(send, sleep):
    for pause in (0.1, 0.2, 0.4, 0.8, None):
        try:
            code, reply = send()
        except ConnectionError:
            code, reply = None, None
        if code == 200:
            return reply
        if code is not None and code // 100 == 4:
            raise ValueError(reply)
        if pause is not None:
            sleep(pause)
    raise ConnectionError("five tries without an answer")


# %% serving.patient: right, recursion
def patient(send, sleep, tries=5, pause=0.1):
    try:
        code, reply = send()
    except ConnectionError:
        code, reply = None, None
    if code == 200:
        return reply
    if code in range(400, 500):
        raise ValueError(f"code {code}")
    if tries == 1:
        raise ConnectionError(f"code {code}")
    sleep(pause)
    return patient(send, sleep, tries - 1, 2 * pause)


# %% serving.patient: right, the last error raised again
def patient(send, sleep):
    for attempt in range(5):
        if attempt > 0:
            sleep(2**attempt / 20)
        try:
            code, reply = send()
            if code != 200 and not 399 < code < 500:
                raise ConnectionResetError(f"code {code}")
        except ConnectionError as error:
            last = error
            continue
        if code != 200:
            raise ValueError(reply)
        return reply
    raise last


# %% serving.patient: wrong, "don't ask again"
def patient(send, sleep):
    pause = 0.1
    for attempt in range(5):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if code == 400:
                raise ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        if attempt < 4:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "you ask 3 times instead of 5 times"
def patient(send, sleep):
    pause = 0.1
    for attempt in range(3):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if 400 <= code < 500:
                raise ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        if attempt < 2:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "another try may succeed"
def patient(send, sleep):
    pause = 0.1
    for attempt in range(5):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if 400 <= code < 500:
                raise ValueError(f"the request is wrong: {reply}")
        finally:
            pass
        if attempt < 4:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "pauses"
def patient(send, sleep):
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
            pause += 0.1
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "sleep once between two tries"
def patient(send, sleep):
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
            pause *= 2
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "another try may succeed"
def patient(send, sleep):
    pause = 0.1
    for attempt in range(5):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if code >= 400:
                raise ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        if attempt < 4:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "should raise ConnectionError, but it returned None"
def patient(send, sleep):
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
    print("no answer in five tries")


# %% serving.patient: wrong, "returned a ValueError: raise it"
def patient(send, sleep):
    pause = 0.1
    for attempt in range(5):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if 400 <= code < 500:
                return ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        if attempt < 4:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "you sleep 5 times"
def patient(send, sleep):
    for attempt in range(5):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if 400 <= code < 500:
                raise ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        sleep(0.1 * 2**attempt)
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "where the server answers 399, 301, 200, you ask once"
def patient(send, sleep):
    pause = 0.1
    for attempt in range(5):
        try:
            code, reply = send()
            if code == 200:
                return reply
            if 300 <= code < 500:
                raise ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        if attempt < 4:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")


# %% serving.patient: wrong, "where the server answers 199, 201, 202, 204, 200, you ask twice"
def patient(send, sleep):
    pause = 0.1
    for attempt in range(5):
        try:
            code, reply = send()
            if 200 <= code < 300:
                return reply
            if 400 <= code < 500:
                raise ValueError(f"the request is wrong: {reply}")
        except ConnectionError:
            pass
        if attempt < 4:
            sleep(pause)
            pause *= 2
    raise ConnectionError("no answer in five tries")
