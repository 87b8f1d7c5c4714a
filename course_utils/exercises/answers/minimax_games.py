# Answers to the exercises of lesson 10: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% minimax_games.share: solution
share_of_first_row = 4 / 11  # 5 p - 3 (1 - p) = -2 p + (1 - p); or solve_zero_sum([[5, -2], [-3, 1]])[1][0]

# %% minimax_games.share: right, a fraction
share_of_first_row = Fraction(1 + 3, 5 + 2 + 3 + 1)

# %% minimax_games.share: right, three decimals
share_of_first_row = 0.364

# %% minimax_games.share: right, two equations, an array of one number
share_of_first_row = np.linalg.solve([[8, -1], [-3, -1]], [3, -1])[:1]


# %% minimax_games.share: right, the lesson's linear program
share_of_first_row = solve_zero_sum([[5, -2], [-3, 1]])[1][0]


# %% minimax_games.share: wrong, "B's probability"
share_of_first_row = solve_zero_sum([[5, -2], [-3, 1]])[2][0]

# %% minimax_games.share: wrong, "probability of L2"
share_of_first_row = solve_zero_sum([[5, -2], [-3, 1]])[1][1]

# %% minimax_games.share: wrong, "value of the game"
share_of_first_row = solve_zero_sum([[5, -2], [-3, 1]])[0]

# %% minimax_games.share: wrong, "equally good"
share_of_first_row = 0.5

# %% minimax_games.share: wrong, "makes both equal"
share_of_first_row = 5 / 8

# %% minimax_games.share: wrong, "B's probability"
share_of_first_row = Fraction(3, 11)

# %% minimax_games.share: wrong, "between 0 and 1"
share_of_first_row = 36.4


# %% minimax_games.column: solution
def column_maximin(payoffs):
    return maximin(-np.asarray(payoffs).T)  # B's own payoffs, with B's moves as rows


# %% minimax_games.column: right, the largest of each column
def column_maximin(payoffs):
    largest = payoffs.max(axis=0)
    return -largest.min(), largest.argmin()


# %% minimax_games.column: right, a loop that takes the last of equally good columns
def column_maximin(payoffs):
    least = np.inf
    for column, gains in enumerate(payoffs.T):
        if max(gains) <= least:
            least, best = max(gains), column
    return [-least, best]


# %% minimax_games.column: right, the smallest pair as an array
def column_maximin(payoffs):
    loss, column = min((max(gains), column) for column, gains in enumerate(zip(*payoffs)))
    return np.array([-loss, column])


# %% minimax_games.column: wrong, "A's maximin"
def column_maximin(payoffs):
    return maximin(payoffs)


# %% minimax_games.column: wrong, "change the sign"
def column_maximin(payoffs):
    return maximin(np.asarray(payoffs).T)


# %% minimax_games.column: wrong, "what A gets"
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


# %% minimax_games.fakes: solution
def best_with_more_fakes(p, q, ratio):
    return p / (p + ratio * q)


# %% minimax_games.fakes: right, one over one plus the odds
def best_with_more_fakes(p, q, ratio):
    return 1 / (1 + ratio * q / p)


# %% minimax_games.fakes: right, a list by a loop
def best_with_more_fakes(p, q, ratio):
    return [real / (real + ratio * fake) for real, fake in zip(p, q)]


# %% minimax_games.fakes: right, the logistic function of the log odds
def best_with_more_fakes(p, q, ratio):
    return np.exp(-np.logaddexp(0, np.log(q) + np.log(ratio) - np.log(p)))


# %% minimax_games.fakes: right, one minus the share of fakes, to four decimals
def best_with_more_fakes(p, q, ratio):
    fakes = ratio * q
    return np.round(1 - fakes / (fakes + p), 4)


# %% minimax_games.fakes: wrong, "no effect"
def best_with_more_fakes(p, q, ratio):
    return p / (p + q)


# %% minimax_games.fakes: wrong, "probability to be fake"
def best_with_more_fakes(p, q, ratio):
    return ratio * q / (p + ratio * q)


# %% minimax_games.fakes: wrong, "which of the two terms"
def best_with_more_fakes(p, q, ratio):
    return ratio * p / (ratio * p + q)


# %% minimax_games.fakes: wrong, "slope"
def best_with_more_fakes(p, q, ratio):
    return p / (p + q) / ratio


# %% minimax_games.curvature: solution
def least_curvature(rate):
    return (1 - np.sqrt(1 - rate**2)) / rate  # (1 - rate c)**2 + rate**2 = 1, the smaller root


# %% minimax_games.curvature: right, without cancellation
def least_curvature(rate):
    return rate / (1 + (1 - rate * rate) ** 0.5)


# %% minimax_games.curvature: right, by the angle whose sine is the rate, in float32
def least_curvature(rate):
    return np.tan(np.arcsin(np.float32(rate)) / 2)


# %% minimax_games.curvature: right, SciPy
def least_curvature(rate):
    from scipy.optimize import brentq

    return brentq(lambda c: np.hypot(1 - rate * c, rate) - 1, 0, 1)


# %% minimax_games.curvature: right, the smaller root of a polynomial, to four decimals
def least_curvature(rate):
    return min(np.roots([rate**2, -2 * rate, rate**2])).round(4)


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


# %% minimax_games.economical: solution
def economical(gradient, start, rate, steps):
    path = [np.array(start, dtype=float)]
    before = np.array(gradient(*path[0]))
    for _ in range(steps):
        here = np.array(gradient(*path[-1]))
        ahead = 2 * here - before  # as much further as since the last step
        path.append(path[-1] + rate * ahead * [1, -1])  # A uphill, B downhill
        before = here
    return np.array(path)


# %% minimax_games.economical: right, two loose coordinates and a list of tuples
def economical(gradient, start, rate, steps):
    x, y = start
    path = [(x, y)]
    last_x, last_y = gradient(*start)
    for _ in range(steps):
        slope_x, slope_y = gradient(x, y)
        x += rate * (2 * slope_x - last_x)
        y -= rate * (2 * slope_y - last_y)
        path.append((x, y))
        last_x, last_y = slope_x, slope_y
    return path


# %% minimax_games.economical: right, the slopes read at the point reflected ahead
def economical(gradient, start, rate, steps):
    path = [np.array(start)]
    before = path[0]
    for _ in range(steps):
        slopes = np.array(gradient(*(path[-1] + path[-1] - before)))
        before = path[-1]
        path.append(before + rate * np.array([1, -1]) * slopes)
    return path


# %% minimax_games.economical: right, extragradient with the last reading for the look ahead
def economical(gradient, start, rate, steps):
    rates = np.array([rate, -rate])
    path = np.tile(start, (steps + 1, 1))
    slopes = gradient(*start)
    for i in range(steps):
        slopes = gradient(*(path[i] + rates * slopes))
        path[i + 1] = path[i] + rates * slopes
    return path


# %% minimax_games.economical: wrong, "spirals out"
def economical(gradient, start, rate, steps):
    return play(simultaneous_step, gradient, start, rate, steps)


# %% minimax_games.economical: wrong, "readings"
def economical(gradient, start, rate, steps):
    return play(extragradient_step, gradient, start, rate, steps)


# %% minimax_games.economical: wrong, "readings"
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


# %% minimax_games.column: wrong, "the value comes first"
def column_maximin(payoffs):
    largest = payoffs.max(axis=0)
    return largest.argmin(), -largest.min()


# %% minimax_games.economical: wrong, "both at that rate"
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
    return np.array(start) * 0.99 ** np.arange(steps + 1)[:, None]


# %% minimax_games.economical: wrong, "at the rate 0.25"
def economical(gradient, start, rate, steps):
    path = [np.array(start, dtype=float)]
    before = np.array(gradient(*path[0]))
    for _ in range(steps):
        here = np.array(gradient(*path[-1]))
        path.append(path[-1] + 0.1 * (2 * here - before) * [1, -1])
        before = here
    return np.array(path)
