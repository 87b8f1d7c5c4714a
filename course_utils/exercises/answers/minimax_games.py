# Answers to the exercises of lesson 10: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% minimax_games.share: solution
share_of_first_row = 4 / 11  # 5 p - 3 (1 - p) = -2 p + (1 - p); or solve_zero_sum([[5, -2], [-3, 1]])[1][0]

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
