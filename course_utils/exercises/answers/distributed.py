# Answers to the exercises of lesson 14: solutions, and what a student might write. They use what the lesson defines above its exercises.

# %% distributed.megabytes: solution
megabytes = 2 * (8 - 1) * 31 / 8 * 4

# %% distributed.megabytes: right, chunk by chunk
megabytes = 4 * (2 * 7 * 31 / 8)

# %% distributed.megabytes: right, as a fraction of twice the gradient
megabytes = 2 * 31 * 4 * 7 / 8

# %% distributed.megabytes: right, rounded
megabytes = 217

# %% distributed.megabytes: wrong, "the sums must come back too"
megabytes = 7 / 8 * 31 * 4

# %% distributed.megabytes: wrong, "not quite twice the gradient"
megabytes = 2 * 31 * 4

# %% distributed.megabytes: wrong, "each has 4 bytes"
megabytes = 2 * 7 / 8 * 31

# %% distributed.megabytes: wrong, "divide by a million"
megabytes = 2 * 7 / 8 * 31e6 * 4

# %% distributed.megabytes: wrong, "all 8 machines send together"
megabytes = 2 * 7 / 8 * 31 * 32

# %% distributed.megabytes: wrong, "passes on one chunk"
megabytes = 2 * 7 * 31 * 4

# %% distributed.megabytes: wrong, "the size of one gradient"
megabytes = 31 * 4

# %% distributed.megabytes: wrong, "in a ring nobody gets so much"
megabytes = 7 * 31 * 4

# %% distributed.megabytes: wrong, "a megabyte is a million"
megabytes = 2 * 7 / 8 * 31e6 * 4 / 1024**2

# %% distributed.megabytes: wrong, "4 bytes, not 8"
megabytes = 2 * 7 / 8 * 31 * 8

# %% distributed.megabytes: wrong, "300 is not it"
megabytes = 300


# %% distributed.combine: solution
def combine(gradients, counts):
    present = counts > 0
    return counts[present] @ gradients[present] / counts.sum()


# %% distributed.combine: right, in a loop
def combine(gradients, counts):
    total = np.zeros(len(gradients[0]))
    for gradient, count in zip(gradients, counts):
        if count:
            total += count * gradient
    return total / sum(counts)


# %% distributed.combine: right, by NumPy's average
def combine(gradients, counts):
    some = np.flatnonzero(counts)
    return np.average(gradients[some], axis=0, weights=counts[some])


# %% distributed.combine: right, with TensorFlow
def combine(gradients, counts):
    shares = tf.constant(counts / counts.sum(), tf.float32)
    clean = tf.where(counts[:, None] > 0, tf.cast(gradients, tf.float32), 0.0)
    return tf.reduce_sum(clean * shares[:, None], axis=0)


# %% distributed.combine: wrong, "counts every worker alike"
def combine(gradients, counts):
    return gradients.mean(axis=0)


# %% distributed.combine: wrong, "as many times too large as there are workers"
def combine(gradients, counts):
    return gradients.sum(axis=0)


# %% distributed.combine: wrong, "divide by how many there are"
def combine(gradients, counts):
    return counts @ gradients


# %% distributed.combine: wrong, "divide by the number of pictures, not of workers"
def combine(gradients, counts):
    return counts @ gradients / len(counts)


# %% distributed.combine: wrong, "0 times NaN is NaN"
def combine(gradients, counts):
    return counts @ gradients / counts.sum()


# %% distributed.combine: wrong, "expected one number per weight"
def combine(gradients, counts):
    return np.average(np.nan_to_num(gradients), axis=0, weights=counts, keepdims=True)


# %% distributed.machines: solution
def best_machines(alone, weights, bandwidth, latency, most):
    times = [step_time(k, alone / k, weights, bandwidth, latency) for k in range(1, most + 1)]
    return np.argmin(times) + 1


# %% distributed.machines: right, in a loop
def best_machines(alone, weights, bandwidth, latency, most):
    best, shortest = 1, alone
    for machines in range(2, most + 1):
        messages = 2 * (machines - 1)
        seconds = alone / machines + messages * latency + messages * 4 * weights / machines / bandwidth
        if seconds < shortest:
            best, shortest = machines, seconds
    return best


# %% distributed.machines: right, all at once
def best_machines(alone, weights, bandwidth, latency, most):
    machines = np.arange(most) + 1
    seconds = alone / machines + 2 * (machines - 1) * (latency + 4 * weights / (machines * bandwidth))
    return machines[seconds == seconds.min()][0]


# %% distributed.machines: wrong, "computing takes alone / K"
def best_machines(alone, weights, bandwidth, latency, most):
    return min(range(1, most + 1), key=lambda k: step_time(k, alone, weights, bandwidth, latency))


# %% distributed.machines: wrong, "cost more than they gain"
def best_machines(alone, weights, bandwidth, latency, most):
    return most


# %% distributed.machines: wrong, "machines begin with 1"
def best_machines(alone, weights, bandwidth, latency, most):
    return np.argmin([step_time(k, alone / k, weights, bandwidth, latency) for k in range(1, most + 1)])


# %% distributed.machines: wrong, "`most` machines are allowed too"
def best_machines(alone, weights, bandwidth, latency, most):
    return min(range(1, max(most, 2)), key=lambda k: step_time(k, alone / k, weights, bandwidth, latency))


# %% distributed.machines: wrong, "take the fewest"
def best_machines(alone, weights, bandwidth, latency, most):
    return max(range(1, most + 1), key=lambda k: (-step_time(k, alone / k, weights, bandwidth, latency), k))


# %% distributed.machines: wrong, "on both sides of it"
def best_machines(alone, weights, bandwidth, latency, most):
    root = np.sqrt(max(alone - 8 * weights / bandwidth, 0) / (2 * latency))
    return int(np.clip(np.round(root), 1, most))


# %% distributed.machines: right, from the place of the minimum
def best_machines(alone, weights, bandwidth, latency, most):
    root = np.sqrt(max(alone - 8 * weights / bandwidth, 0) / (2 * latency))
    near = [min(max(k, 1), most) for k in (int(root), int(root) + 1)]
    return min(near, key=lambda k: step_time(k, alone / k, weights, bandwidth, latency))


# %% distributed.machines: wrong, "count the latency"
def best_machines(alone, weights, bandwidth, latency, most):
    return min(range(1, most + 1), key=lambda k: step_time(k, alone / k, weights, bandwidth, 0))


# %% distributed.steps: solution
def steps_done(total, every, deaths):
    return total + sum(death % every for death in deaths)


# %% distributed.steps: right, attempt by attempt
def steps_done(total, every, deaths):
    start, done = 0, 0
    for death in deaths:
        done += death - start
        start = death // every * every
    return done + total - start


# %% distributed.steps: right, with NumPy
def steps_done(total, every, deaths):
    return total + np.mod(deaths, every).sum()


# %% distributed.steps: wrong, "newest checkpoint are done again"
def steps_done(total, every, deaths):
    return total


# %% distributed.steps: wrong, "not from the start"
def steps_done(total, every, deaths):
    return total + sum(deaths)


# %% distributed.steps: wrong, "count the others too"
def steps_done(total, every, deaths):
    return sum(death % every for death in deaths)


# %% distributed.steps: wrong, "fewer than `every`"
def steps_done(total, every, deaths):
    return total + every * len(deaths)


# %% distributed.scatter: solution
def reduce_scatter(chunks):
    held = chunks.copy()
    for step in range(len(held) - 1):
        before = held.copy()
        for k in range(len(held)):
            c = (k - step) % len(held)
            held[(k + 1) % len(held), c] += before[k, c]
    return np.array([held[k, (k + 1) % len(held)] for k in range(len(held))])


# %% distributed.scatter: right, by what comes of it
def reduce_scatter(chunks):
    return np.roll(chunks.sum(axis=0), -1, axis=0)


# %% distributed.scatter: right, machine by machine
def reduce_scatter(chunks):
    total = sum(chunks)
    return [total[(k + 1) % len(total)] for k in range(len(total))]


# %% distributed.scatter: wrong, "doesn't finish chunk k"
def reduce_scatter(chunks):
    return chunks.sum(axis=0)


# %% distributed.scatter: wrong, "on the wrong side"
def reduce_scatter(chunks):
    return np.roll(chunks.sum(axis=0), 1, axis=0)


# %% distributed.scatter: wrong, "this is the mean"
def reduce_scatter(chunks):
    return np.roll(chunks.mean(axis=0), -1, axis=0)


# %% distributed.scatter: wrong, "expected one chunk per machine"
def reduce_scatter(chunks):
    return np.broadcast_to(chunks.sum(axis=0), chunks.shape)
