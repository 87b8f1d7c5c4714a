# Answers to the exercises of lesson 13: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% serving.answering: solution
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available, default=None)


# %% serving.answering: wrong, "only AVAILABLE"
def answering_version(status):
    return max(int(v["version"]) for v in status["model_version_status"])


# %% serving.answering: wrong, "a whole number is wanted"
def answering_version(status):
    available = [v["version"] for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available, default=None)


# %% serving.answering: wrong, "as text"
def answering_version(status):
    return int(max(v["version"] for v in status["model_version_status"] if v["state"] == "AVAILABLE"))


# %% serving.answering: wrong, "the largest answers"
def answering_version(status):
    return next(int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE")


# %% serving.answering: wrong, "you give None, and 2 answers"
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "available"]
    return max(available, default=None)


# %% serving.answering: wrong, "None is wanted there"
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available)


# %% serving.answering: wrong, "None is wanted"
def answering_version(status):
    available = [int(v["version"]) for v in status["model_version_status"] if v["state"] == "AVAILABLE"]
    return max(available, default=0)


# %% serving.policy: solution
policy_and_labels = """
model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""

# %% serving.policy: wrong, "serves 8 and 9, and version 8 was withdrawn"
policy_and_labels = """
model_version_policy { latest { num_versions: 2 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""

# %% serving.policy: wrong, "serves 9, without 7"
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

# %% serving.policy: wrong, "7 and 9 are wanted"
policy_and_labels = """
model_version_policy { specific { versions: 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""

# %% serving.policy: wrong, "nobody knows"
policy_and_labels = """
model_version_policy { specific { versions: 7 versions: 9 } }
version_labels { key: 'stable' value: 9 }
version_labels { key: 'canary' value: 7 }
"""

# %% serving.policy: wrong, "can't be read"
policy_and_labels = """
model_version_policy { specific { versions: 7, 9 } }
version_labels { key: 'stable' value: 7 }
version_labels { key: 'canary' value: 9 }
"""

# %% serving.policy: wrong, "can't be read"
policy_and_labels = "specific { versions: 7 versions: 9 }"


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


# %% serving.patient: wrong, "ask no more"
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


# %% serving.patient: wrong, "5 are wanted"
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


# %% serving.patient: wrong, "that may pass"
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


# %% serving.patient: wrong, "once between two tries"
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


# %% serving.patient: wrong, "that may pass"
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


# %% serving.patient: wrong, "ConnectionError raised is wanted"
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
