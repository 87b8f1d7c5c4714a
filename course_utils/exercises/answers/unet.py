# Answers to the exercises of lesson 06: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% unet.size: solution
returned = 572 - 88  # l = 4, 16, 40, 88 for one, two, three, four levels

# %% unet.size: wrong, "five levels"
returned = 388

# %% unet.size: wrong, "padded"
returned = 572

# %% unet.size: wrong, "third pooling"
returned = 68

# %% unet.size: wrong, "bottom level"
returned = 64

# %% unet.size: wrong, "three poolings"
returned = 572 - 40


# %% unet.step: solution
def largest_step(tile, levels):
    block = 2 ** (levels - 1)  # one pooling between two levels
    return tile // block * block


# %% unet.step: wrong, "no multiple"
def largest_step(tile, levels):
    return tile


# %% unet.step: wrong, "fewer tiles"
def largest_step(tile, levels):
    return tile // 2**levels * 2**levels


# %% unet.step: wrong, "leave pixels out"
def largest_step(tile, levels):
    return -(-tile // 2 ** (levels - 1)) * 2 ** (levels - 1)


# %% unet.step: wrong, "fewer tiles"
def largest_step(tile, levels):
    return 2 ** (levels - 1)


# %% unet.dice: solution
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: wrong, "Dice itself"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: wrong, "in the place of probabilities"
def soft_dice_loss(truth, logits):
    return 1 - 2 * (logits * truth).sum() / (logits.sum() + truth.sum())


# %% unet.dice: wrong, "no gradient"
def soft_dice_loss(truth, logits):
    p = logits > 0
    return 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: wrong, "IoU"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    both = (p * truth).sum()
    return 1 - both / (p.sum() + truth.sum() - both)


# %% unet.dice: wrong, "twice"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 1 - (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: wrong, "another common form"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 1 - 2 * (p * truth).sum() / ((p**2).sum() + (truth**2).sum())


# %% unet.split: solution
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: max(round(share * len(names)), 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "in both parts"
def split_by_car(cars, share, rng):
    order = rng.permutation(len(cars))
    held = round(share * len(cars))
    return order[held:], order[:held]


# %% unet.split: wrong, "draw them with"
def split_by_car(cars, share, rng):
    names = np.unique(cars)
    held = np.isin(cars, names[: max(round(share * len(names)), 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "you hold back"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: max(round(share * len(names)), 1)])
    return np.flatnonzero(held), np.flatnonzero(~held)


# %% unet.split: wrong, "at least one"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: round(share * len(names))])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "first entry"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: max(round(share * len(names)), 1)])
    return np.where(~held), np.where(held)


# %% unet.split: wrong, "these are masks"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: max(round(share * len(names)), 1)])
    return ~held, held


# %% unet.split: wrong, "expected training to be an array"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    return names[2:], names[:2]


# %% unet.mirrored: solution
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1]]
    return sum(1 / (1 + np.exp(-z)) for z in answers) / 2


# %% unet.mirrored: wrong, "turn it back"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])]
    return sum(1 / (1 + np.exp(-z)) for z in answers) / 2


# %% unet.mirrored: wrong, "averages logits"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1]]
    return 1 / (1 + np.exp(-sum(answers) / 2))


# %% unet.mirrored: wrong, "these are logits"
def average_of_mirrored(predict, pictures):
    return (predict(pictures) + predict(pictures[:, :, ::-1])[:, :, ::-1]) / 2


# %% unet.mirrored: wrong, "upside down"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, ::-1])[:, ::-1]]
    return sum(1 / (1 + np.exp(-z)) for z in answers) / 2


# %% unet.mirrored: wrong, "alone"
def average_of_mirrored(predict, pictures):
    return 1 / (1 + np.exp(-predict(pictures)))
