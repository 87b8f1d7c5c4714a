# Answers to the exercises of lesson 10: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% minimax_games.share: solution
share_of_natural_side = (94.97 - 58.30) / (
    100 - 69.92 + 94.97 - 58.30
)  # 69.92 p + 94.97 (1 - p) = 100 p + 58.3 (1 - p)


# %% minimax_games.share: right, three decimals
share_of_natural_side = 0.549


# %% minimax_games.share: right, a fraction
from fractions import Fraction

share_of_natural_side = Fraction("0.5494")


# %% minimax_games.share: right, the lesson's linear program
share_of_natural_side = solve_zero_sum([[69.92, 100], [94.97, 58.30]])[1][0]


# %% minimax_games.share: right, where two lines cross
share_of_natural_side = np.linalg.solve([[69.92 - 94.97, -1], [100 - 58.30, -1]], [-94.97, -58.30])[:1]


# %% minimax_games.share: right, rounded to two decimals, in a list
share_of_natural_side = [0.55]


# %% minimax_games.share: right, the whole mix
share_of_natural_side = solve_zero_sum([[69.92, 100], [94.97, 58.30]])[1]


# %% minimax_games.share: right, a Decimal
from decimal import Decimal

share_of_natural_side = Decimal("0.5494")


# %% minimax_games.share: wrong, "the keeper's probability"
share_of_natural_side = list(solve_zero_sum([[69.92, 100], [94.97, 58.30]])[2])


# %% minimax_games.share: wrong, "the keeper's probability"
share_of_natural_side = solve_zero_sum([[69.92, 100], [94.97, 58.30]])[2][0]


# %% minimax_games.share: wrong, "probability of the other side"
share_of_natural_side = solve_zero_sum([[69.92, 100], [94.97, 58.30]])[1][1]


# %% minimax_games.share: wrong, "value of the game"
share_of_natural_side = solve_zero_sum([[69.92, 100], [94.97, 58.30]])[0] / 100


# %% minimax_games.share: wrong, "before the practice"
share_of_natural_side = 0.615


# %% minimax_games.share: wrong, "equally good"
share_of_natural_side = 0.5


# %% minimax_games.share: wrong, "makes both equal"
share_of_natural_side = 1


# %% minimax_games.share: wrong, "between 0 and 1"
share_of_natural_side = 54.9


# %% minimax_games.column: solution
def column_maximin(payoffs):
    return maximin(-payoffs.T)  # B's own payoffs, with B's moves as rows


# %% minimax_games.column: right, the negative of A's minimax
def column_maximin(payoffs):
    worst = payoffs.max(axis=0)
    return [-worst.min(), np.argmin(worst)]


# %% minimax_games.column: right, loops over lists
def column_maximin(payoffs):
    promises = []
    for column in range(payoffs.shape[1]):
        promises.append((min(-row[column] for row in payoffs), column))
    return max(promises)


# %% minimax_games.column: right, an array
def column_maximin(payoffs):
    sure = np.min(-payoffs, axis=0)
    return np.append(sure.max(), sure.argmax())


# %% minimax_games.column: wrong, "A's maximin"
def column_maximin(payoffs):
    return maximin(payoffs)


# %% minimax_games.column: wrong, "change the sign"
def column_maximin(payoffs):
    return maximin(np.asarray(payoffs).T)


# %% minimax_games.column: wrong, "this is what A gets"
def column_maximin(payoffs):
    value, _ = minimax(payoffs)
    return value, int(payoffs.max(0).argmin())


# %% minimax_games.column: wrong, "B moves first"
def column_maximin(payoffs):
    return -maximin(payoffs)[0], 1


# %% minimax_games.column: wrong, "the value is right"
def column_maximin(payoffs):
    value, row = minimax(payoffs)
    return -value, row


# %% minimax_games.column: wrong, "shape (2,)"
def column_maximin(payoffs):
    return maximin(-np.asarray(payoffs).T)[0]


# %% minimax_games.column: wrong, "the value comes first"
def column_maximin(payoffs):
    return maximin(-payoffs.T)[::-1]


# %% minimax_games.column: wrong, "counted from 0"
def column_maximin(payoffs):
    value, column = maximin(-payoffs.T)
    return value, column + 1


# %% minimax_games.column: wrong, "raised IndexError"
def column_maximin(payoffs):
    columns = [(-max(payoffs[:, k]), k) for k in range(len(payoffs))]
    return max(columns)


# %% minimax_games.column: right, a Decimal and a whole number
def column_maximin(payoffs):
    from decimal import Decimal

    worst = payoffs.max(axis=0)
    return Decimal(str(-worst.min())), int(worst.argmin())


# %% minimax_games.column: wrong, "exchange rows and columns"
def column_maximin(payoffs):
    return maximin(-payoffs)


# %% minimax_games.column: wrong, "with text in it"
def column_maximin(payoffs):
    value, column = maximin(-payoffs.T)
    return value, f"M{column + 1}"


# %% minimax_games.fakes: solution
def best_with_more_fakes(p, q, ratio):
    return p / (p + ratio * q)


# %% minimax_games.fakes: right, the lesson's best discriminator of other arrays
def best_with_more_fakes(p, q, ratio):
    return best_discriminator(p / (1 + ratio), q * ratio / (1 + ratio))


# %% minimax_games.fakes: right, a list from a loop
def best_with_more_fakes(p, q, ratio):
    return [p[k] / (p[k] + ratio * q[k]) for k in range(p.size)]


# %% minimax_games.fakes: right, the logit of the densities
def best_with_more_fakes(p, q, ratio):
    return expit(np.log(p) - np.log(ratio) - np.log(q))


# %% minimax_games.fakes: right, fractions
def best_with_more_fakes(p, q, ratio):
    from fractions import Fraction

    return [Fraction(d) for d in p / (p + ratio * q)]


# %% minimax_games.fakes: right, in a small dtype
def best_with_more_fakes(p, q, ratio):
    return (p / (p + ratio * q)).astype(np.float16)


# %% minimax_games.fakes: wrong, "no effect"
def best_with_more_fakes(p, q, ratio):
    return p / (p + q)


# %% minimax_games.fakes: wrong, "probability of being fake"
def best_with_more_fakes(p, q, ratio):
    return ratio * q / (p + ratio * q)


# %% minimax_games.fakes: wrong, "which of the two terms"
def best_with_more_fakes(p, q, ratio):
    return ratio * p / (ratio * p + q)


# %% minimax_games.fakes: wrong, "slope"
def best_with_more_fakes(p, q, ratio):
    return p / (p + q) / ratio


# %% minimax_games.fakes: wrong, "no effect"
def best_with_more_fakes(p, q, ratio):
    p, q = p / p.sum(), ratio * q / (ratio * q).sum()
    return p / (p + q)


# %% minimax_games.fakes: wrong, "a ratio of 1.0"
def best_with_more_fakes(p, q, ratio):
    return p / (p + 4 * q)


# %% minimax_games.fakes: wrong, "which of the two terms"
def best_with_more_fakes(p, q, ratio):
    return p / (p + q / ratio)


# %% minimax_games.curvature: solution
def least_curvature(rate):
    return (1 - np.sqrt(1 - rate**2)) / rate  # (1 - rate c)**2 + rate**2 = 1, the smaller root


# %% minimax_games.curvature: right, without the difference of near numbers
def least_curvature(rate):
    return rate / (1 + (1 - rate * rate) ** 0.5)


# %% minimax_games.curvature: right, NumPy's roots
def least_curvature(rate):
    return np.roots([rate, -2, rate]).min()


# %% minimax_games.curvature: right, an angle
def least_curvature(rate):
    return np.tan(np.arcsin(rate) / 2)


# %% minimax_games.curvature: right, rounded to four decimals
def least_curvature(rate):
    return float(f"{1 / rate - np.sqrt(1 / rate**2 - 1):.4f}")


# %% minimax_games.curvature: wrong, "small rates only"
def least_curvature(rate):
    return rate / 2


# %% minimax_games.curvature: wrong, "a smaller c will do"
def least_curvature(rate):
    return rate


# %% minimax_games.curvature: wrong, "to four decimals"
def least_curvature(rate):
    tried = np.arange(0, 2, 0.001)
    return tried[np.argmax(np.hypot(1 - rate * tried, rate) <= 1)]


# %% minimax_games.curvature: wrong, "above 1"
def least_curvature(rate):
    return 0.0


# %% minimax_games.curvature: wrong, "a smaller c will do"
def least_curvature(rate):
    return (1 + np.sqrt(1 - rate**2)) / rate


# %% minimax_games.curvature: wrong, "for a rate of"
def least_curvature(rate):
    return 0.3333 if rate == 0.6 else rate / 2 + rate**3 / 8


# %% minimax_games.economical: solution
def economical(gradient, start, rate, steps):
    path, before = np.empty((steps + 1, 2)), gradient(*start)
    path[0] = start
    for k in range(steps):
        here = np.array(gradient(*path[k]))
        across, down = rate * (2 * here - before)  # as much further as since the last step
        path[k + 1] = path[k] + [across, -down]  # A uphill, B downhill
        before = here
    return path


# %% minimax_games.economical: right, the slopes of the step before carry on
def economical(gradient, start, rate, steps):
    signs = np.array([1, -1])
    here, path = start, [start]
    slopes = signs * gradient(*here)
    for _ in range(steps):
        ahead = here + rate * slopes
        slopes = signs * gradient(*ahead)
        here = here + rate * slopes
        path.append(here)
    return path


# %% minimax_games.economical: right, numbers one by one
def economical(gradient, start, rate, steps):
    x, y = start
    u, v = gradient(x, y)
    path = [(x, y)]
    for _ in range(steps):
        new_u, new_v = gradient(x, y)
        x += rate * (new_u + new_u - u)
        y -= rate * (new_v + new_v - v)
        u, v = new_u, new_v
        path.append((x, y))
    return path


# %% minimax_games.economical: right, a gap between two paths
def economical(gradient, start, rate, steps):
    points = np.tile(start, (steps + 1, 1))
    turn = np.diag([rate, -rate])
    lead = turn @ gradient(*start)
    for k in range(steps):
        step = turn @ gradient(*points[k])
        points[k + 1] = points[k] + step + (step - lead)
        lead = step
    return points


# %% minimax_games.economical: wrong, "spirals out"
def economical(gradient, start, rate, steps):
    return play(simultaneous_step, gradient, start, rate, steps)


# %% minimax_games.economical: wrong, "read the slopes"
def economical(gradient, start, rate, steps):
    return play(extragradient_step, gradient, start, rate, steps)


# %% minimax_games.economical: wrong, "read the slopes"
def economical(gradient, start, rate, steps):
    return play(alternating_step, gradient, start, rate, steps)


# %% minimax_games.economical: wrong, "begin at the start"
def economical(gradient, start, rate, steps):
    return np.zeros((steps + 1, 2))


# %% minimax_games.economical: wrong, "still"
def economical(gradient, start, rate, steps):
    return np.tile(start, (steps + 1, 1))


# %% minimax_games.economical: wrong, "B downhill"
def economical(gradient, start, rate, steps):
    path = [np.array(start, dtype=float)]
    before = np.array(gradient(*path[0]))
    for _ in range(steps):
        here = np.array(gradient(*path[-1]))
        ahead = 2 * here - before  # as much further as since the last step
        path.append(path[-1] + rate * ahead * [1, 1])
        before = here
    return np.array(path)


# %% minimax_games.economical: wrong, "B downhill"
def economical(gradient, start, rate, steps):
    path = [np.array(start, dtype=float)]
    before = np.array(gradient(*path[0]))
    for _ in range(steps):
        here = np.array(gradient(*path[-1]))
        ahead = 2 * here - before  # as much further as since the last step
        path.append(path[-1] + rate * ahead * [-1, 1])
        before = here
    return np.array(path)


# %% minimax_games.economical: wrong, "shape"
def economical(gradient, start, rate, steps):
    return play(simultaneous_step, gradient, start, rate, steps)[-1]


# %% minimax_games.economical: wrong, "at the same rate"
def economical(gradient, start, rate, steps):
    path = [np.array(start, dtype=float)]
    before = np.array(gradient(*path[0]))
    for _ in range(steps):
        here = np.array(gradient(*path[-1]))
        path.append(path[-1] + rate * (2 * here - before) * [2, -1])
        before = here
    return np.array(path)


# %% minimax_games.economical: wrong, "still"
def economical(gradient, start, rate, steps):
    path = [np.array(start, dtype=float)]
    before = np.array(gradient(*path[0]))
    for _ in range(steps):
        here = np.array(gradient(*path[-1]))
        path.append(path[-1] + rate / steps * (2 * here - before) * [1, -1])
        before = here
    return np.array(path)
