# Answers to the exercises of lesson 12: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% saving.interval: solution
seconds_between_saves = (2 * 20 * 24 * 60 * 60) ** 0.5


# %% saving.interval: right, rounded to three digits
seconds_between_saves = float(f"{np.sqrt(2 * 20 * 24 * 60 * 60):.3g}")


# %% saving.interval: right, minutes turned into seconds
seconds_between_saves = 60 * np.sqrt(2 * (20 / 60) * 24 * 60)


# %% saving.interval: wrong, "the 2 got lost"
seconds_between_saves = np.sqrt(20 * 86_400)


# %% saving.interval: wrong, "on the wrong side"
seconds_between_saves = np.sqrt(20 * 86_400 / 2)


# %% saving.interval: wrong, "take the root"
seconds_between_saves = 2 * 20 * 86_400


# %% saving.interval: wrong, "belongs under the root"
seconds_between_saves = 2 * np.sqrt(20 * 86_400)


# %% saving.interval: wrong, "M = 86,400"
seconds_between_saves = np.sqrt(2 * 20 * 24)


# %% saving.interval: wrong, "M is in minutes"
seconds_between_saves = np.sqrt(2 * 20 * 1440)


# %% saving.interval: wrong, "leaves out c"
seconds_between_saves = np.sqrt(2 * 86_400)


# %% saving.interval: wrong, "in hours"
seconds_between_saves = 0.5164


# %% saving.interval: wrong, "set the derivative"
seconds_between_saves = 86_400


# %% saving.digits: solution
test_digits = 1.96**2 * 0.92 * 0.08 / 0.005**2


# %% saving.digits: right, rounded up to a whole number
test_digits = 11_310


# %% saving.digits: right, the ratio squared
q, half_width = 0.92, 0.005
test_digits = (q - q**2) * (1.96 / half_width) ** 2


# %% saving.digits: right, SciPy's quantile of the normal distribution
test_digits = (stats.norm.ppf(0.975) / 0.005) ** 2 * np.prod([0.92, 0.08])


# %% saving.digits: right, a root squared with NumPy
test_digits = np.square(1.96 * np.sqrt(0.92 * 0.08) / 0.005)


# %% saving.digits: wrong, "round up"
test_digits = 11309

# %% saving.digits: wrong, "to each side"
test_digits = 1.96**2 * 0.92 * 0.08 / 0.01**2


# %% saving.digits: wrong, "left out the 1.96"
test_digits = 0.92 * 0.08 / 0.005**2


# %% saving.digits: wrong, "worst case"
test_digits = 1.96**2 * 0.25 / 0.005**2


# %% saving.digits: wrong, "so square"
test_digits = 1.96 * np.sqrt(0.92 * 0.08) / 0.005


# %% saving.digits: wrong, "solve"
test_digits = 256


# %% saving.digits: wrong, "didn't square the 1.96"
test_digits = 1.96 * 0.92 * 0.08 / 0.005**2


# %% saving.keep: solution
def steps_to_keep(steps, losses, newest):
    kept = set(steps[-newest:])
    if not np.isnan(losses).all():
        kept.add(steps[np.nanargmin(losses)])
    return sorted(kept)


# %% saving.keep: right, a dictionary from losses to steps
def steps_to_keep(steps, losses, newest):
    by_loss = {losses[i]: steps[i] for i in range(len(steps)) if losses[i] == losses[i]}  # NaN differs from itself
    kept = steps[-newest:]
    if by_loss and by_loss[min(by_loss)] not in kept:
        kept.insert(0, by_loss[min(by_loss)])
    return kept


# %% saving.keep: right, a mask over NumPy arrays
def steps_to_keep(steps, losses, newest):
    keep = np.arange(len(steps)) >= len(steps) - newest
    if not np.isnan(losses).all():
        keep[np.nanargmin(losses)] = True
    return np.array(steps)[keep]


# %% saving.keep: right, a tuple of sorted pairs
def steps_to_keep(steps, losses, newest):
    pairs = sorted((losses[i], step) for i, step in enumerate(steps) if not np.isnan(losses[i]))
    best = [step for _, step in pairs[:1]]
    return (*sorted({*best, *steps[-newest:]}),)


# %% saving.keep: right, of equal losses the last
def steps_to_keep(steps, losses, newest):
    kept = steps[-newest:]
    known = sorted((losses[i], -steps[i]) for i in range(len(steps)) if losses[i] == losses[i])
    for _, step in known[:1]:
        kept = sorted({*kept, -step})
    return kept


# %% saving.keep: wrong, "lowest loss, is gone"
def steps_to_keep(steps, losses, newest):
    return steps[-newest:]


# %% saving.keep: wrong, "NaN is not the lowest"
def steps_to_keep(steps, losses, newest):
    return sorted({*steps[-newest:], steps[int(np.argmin(losses))]})


# %% saving.keep: wrong, "named twice"
def steps_to_keep(steps, losses, newest):
    return sorted([*steps[-newest:], steps[int(np.nanargmin(losses))]])


# %% saving.keep: wrong, "ValueError"
def steps_to_keep(steps, losses, newest):
    return sorted({*steps[-newest:], steps[int(np.nanargmin(losses))]})


# %% saving.keep: wrong, "lowest loss, is gone"
def steps_to_keep(steps, losses, newest):
    return sorted({*steps[-newest:], steps[int(np.nanargmax(losses))]})


# %% saving.keep: wrong, "newest"
def steps_to_keep(steps, losses, newest):
    return [steps[i] for i in np.argsort(losses)[:newest]]


# %% saving.keep: wrong, "is neither among the newest nor the best"
def steps_to_keep(steps, losses, newest):
    kept = set(steps[-newest:])
    lowest = float("inf")
    for step, loss in zip(steps, losses, strict=True):
        if loss < lowest:
            lowest = loss
            kept.add(step)
    return sorted(kept)


# %% saving.keep: wrong, "has no order"
def steps_to_keep(steps, losses, newest):
    kept = set(steps[-newest:])
    if not np.isnan(losses).all():
        kept.add(steps[int(np.nanargmin(losses))])
    return kept


# %% saving.keep: wrong, "sort them"
def steps_to_keep(steps, losses, newest):
    kept = list(steps[-newest:])
    if not np.isnan(losses).all() and steps[int(np.nanargmin(losses))] not in kept:
        kept.append(steps[int(np.nanargmin(losses))])
    return kept


# %% saving.pair: solution
def save_pair(disk, weights, optimizer, step):
    if "latest" not in disk.names() or disk.read("latest") != str(step):
        disk.write(f"weights-{step}", weights)
        disk.write(f"optimizer-{step}", optimizer)
        disk.write("latest.new", f"{step}")
        disk.replace("latest.new", "latest")
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    return step


# %% saving.pair: right, all files written under other names first
def save_pair(disk, weights, optimizer, step):
    contents = {f"weights-{step}": weights, f"optimizer-{step}": optimizer, "latest": f"{step}"}
    named = [disk.read(name) for name in disk.names() if name == "latest"]
    if f"{step}" not in named:
        for name, text in contents.items():
            disk.write(name + ".part", text)
        for name in contents:
            disk.replace(f"{name}.part", name)
    for name in set(disk.names()).difference(contents):
        disk.delete(name)
    return step


# %% saving.pair: right, the old names listed at the start
def save_pair(disk, weights, optimizer, step):
    new = ["latest", f"optimizer-{step}", f"weights-{step}"]
    old = [name for name in disk.names() if name not in new]
    try:
        is_named = int(disk.read("latest")) == step
    except FileNotFoundError:
        is_named = False
    if not is_named:
        disk.write(new[1], optimizer)
        disk.write(new[2], weights)
        disk.write("next", f"{step}")
        disk.replace("next", "latest")
    for name in old:
        if name in disk.names():
            disk.delete(name)
    return step


# %% saving.pair: wrong, "while step 200 is saved once more"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", f"{step}")
    disk.replace("latest.new", "latest")
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    return step


# %% saving.pair: wrong, "come from two different saves"
def save_pair(disk, weights, optimizer, step):
    contents = {f"weights-{step}": weights, f"optimizer-{step}": optimizer, "latest": f"{step}"}
    for name, text in contents.items():
        disk.write(name + ".part", text)
    for name in contents:
        disk.replace(f"{name}.part", name)
    for name in set(disk.names()).difference(contents):
        disk.delete(name)
    return step


# %% saving.pair: wrong, "stays on the disk"
def save_pair(disk, weights, optimizer, step):
    if "latest" in disk.names() and disk.read("latest") == f"{step}":
        return step
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", f"{step}")
    disk.replace("latest.new", "latest")
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    return step


# %% saving.pair: wrong, "in the middle of write('latest')"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest", str(step))
    return step


# %% saving.pair: wrong, "there is no file 'weights-200'"
def save_pair(disk, weights, optimizer, step):
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    return step


# %% saving.pair: wrong, "there is no file"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    return step


# %% saving.pair: wrong, "stays on the disk"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    return step


# %% saving.pair: wrong, "by an earlier crash"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    for name in disk.names():
        _, _, old = name.partition("optimizer-")
        if old not in ("", str(step)):
            disk.delete(f"weights-{old}")
            disk.delete(f"optimizer-{old}")
    return step


# %% saving.pair: wrong, "stays on the disk"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    for name in disk.names():
        if name.endswith(("-100", "-150")):
            disk.delete(name)
    return step


# %% saving.pair: wrong, "still says 100"
def save_pair(disk, weights, optimizer, step):
    disk.write("weights", weights)
    disk.write("optimizer", optimizer)
    return step


# %% saving.pair: wrong, "return the step"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    return step + 1


# %% saving.pair: wrong, "after a save of step 1000 without a crash 'latest' says 200"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", "200")
    disk.replace("latest.new", "latest")
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    return step


# %% saving.pair: wrong, "but the file 'weights-200' is not whole"
def save_pair(disk, weights, optimizer, step):
    for name, text in ((f"weights-{step}", weights), (f"optimizer-{step}", optimizer)):
        if name not in disk.names():
            disk.write(name, text)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    return step


# %% saving.pair: wrong, "there is no file"
def save_pair(disk, weights, optimizer, step):
    for name in disk.names():
        if name not in ("latest", "weights-100", "optimizer-100"):
            disk.delete(name)
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    disk.delete("weights-100")
    disk.delete("optimizer-100")
    return step


# %% saving.pair: wrong, "'weights-200' holds the optimizer"
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", optimizer)
    disk.write(f"optimizer-{step}", weights)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    for name in disk.names():
        if name not in ("latest", f"weights-{step}", f"optimizer-{step}"):
            disk.delete(name)
    return step
