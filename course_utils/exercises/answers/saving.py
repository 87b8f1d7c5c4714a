# Answers to the exercises of lesson 12: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% saving.digits: solution
test_digits = 1.96**2 * 0.92 * 0.08 / 0.005**2

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


# %% saving.keep: solution
def steps_to_keep(steps, losses, newest):
    kept = set(steps[-newest:])
    if not np.isnan(losses).all():
        kept.add(steps[int(np.nanargmin(losses))])
    return sorted(kept)


# %% saving.keep: wrong, "lowest loss, is gone"
def steps_to_keep(steps, losses, newest):
    return steps[-newest:]


# %% saving.keep: wrong, "NaN is not the lowest"
def steps_to_keep(steps, losses, newest):
    return sorted({*steps[-newest:], steps[int(np.argmin(losses))]})


# %% saving.keep: wrong, "named twice"
def steps_to_keep(steps, losses, newest):
    return sorted([*steps[-newest:], steps[int(np.nanargmin(losses))]])


# %% saving.keep: wrong, "All-NaN"
def steps_to_keep(steps, losses, newest):
    return sorted({*steps[-newest:], steps[int(np.nanargmin(losses))]})


# %% saving.keep: wrong, "lowest loss, is gone"
def steps_to_keep(steps, losses, newest):
    return sorted({*steps[-newest:], steps[int(np.nanargmax(losses))]})


# %% saving.keep: wrong, "newest"
def steps_to_keep(steps, losses, newest):
    return [steps[i] for i in np.argsort(losses)[:newest]]


# %% saving.pair: solution
def save_pair(disk, weights, optimizer, step):
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", str(step))
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
    old = [name for name in disk.names() if name.endswith("-100")]
    disk.write(f"weights-{step}", weights)
    disk.write(f"optimizer-{step}", optimizer)
    disk.write("latest.new", str(step))
    disk.replace("latest.new", "latest")
    for name in old:
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
    return len(disk.names())
