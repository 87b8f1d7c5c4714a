# Answers to the exercises of lesson 06: solutions, and what a student might write. They use what the lesson defines above its exercises.
# After the exercise's name: solution; right, and how it is written; or wrong, and words that the verdict must hold.

# %% unet.size: solution
returned = 572 - 88  # l = 4, 16, 40, 88 for one, two, three, four levels

# %% unet.size: right, down and up
height = 572
for _ in range(3):
    height = (height - 4) / 2
height = height - 4
for _ in range(3):
    height = 2 * height - 4
returned = height


# %% unet.size: right, the rule
lost = 4
for _ in range(3):
    lost = 2 * lost + 8
returned = 572 - lost


# %% unet.size: right, the number itself
returned = 484.0


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


# %% unet.size: wrong, "own two convolutions"
returned = 488

# %% unet.size: wrong, "one number"
returned = (484, 484)

# %% unet.size: wrong, "three levels"
returned = 532


# %% unet.perfect: solution
labels = nuclei.load_nuclei().labels
found_in_perfect_mask = count_found(labels > 0, labels)


# %% unet.perfect: right, numbers as bool
labels = nuclei.load_nuclei().labels
found_in_perfect_mask = count_found(labels.astype(bool), labels)


# %% unet.perfect: right, no background
labels = nuclei.load_nuclei().labels
found_in_perfect_mask = count_found(~(labels == 0), labels)


# %% unet.perfect: wrong, "all nuclei"
found_in_perfect_mask = nuclei.load_nuclei().labels.max()


# %% unet.perfect: wrong, "pieces the mask has"
found_in_perfect_mask = label(nuclei.load_nuclei().labels > 0, connectivity=1).max()


# %% unet.perfect: wrong, "can still reach"
labels = nuclei.load_nuclei().labels
found_in_perfect_mask = labels.max() - len(np.unique(nuclei.touching_pairs(labels, 1)))


# %% unet.perfect: wrong, "across a corner"
labels = nuclei.load_nuclei().labels
found_in_perfect_mask = count_found(label(labels > 0, connectivity=2), labels)


# %% unet.perfect: wrong, "the mask of the nuclei"
labels = nuclei.load_nuclei().labels
found_in_perfect_mask = count_found(labels == 0, labels)


# %% unet.perfect: wrong, "on the whole picture"
half = nuclei.split_nuclei(nuclei.load_nuclei())[0]
found_in_perfect_mask = count_found(half.labels > 0, half.labels)


# %% unet.step: solution
def largest_step(tile, levels):
    block = 2 ** (levels - 1)  # one pooling between two levels
    return tile // block * block


# %% unet.step: right, what is left over
def largest_step(tile, levels):
    return tile - tile % 2 ** (levels - 1)


# %% unet.step: right, shifted bits
def largest_step(tile, levels):
    return (tile >> (levels - 1)) << (levels - 1)


# %% unet.step: right, the last of a range
def largest_step(tile, levels):
    block = 2.0**levels / 2
    return np.arange(block, tile + 1, block).max()


# %% unet.step: right, halved and doubled
def largest_step(tile, levels):
    return tile if levels == 1 else 2 * largest_step(tile // 2, levels - 1)


# %% unet.step: wrong, "not a multiple"
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


# %% unet.step: wrong, "leave pixels out"
def largest_step(tile, levels):
    block = 2 ** (levels - 1)
    return round(tile / block) * block


# %% unet.step: wrong, "not a multiple"
def largest_step(tile, levels):
    return tile // 2 * 2


# %% unet.step: wrong, "you give 384"
def largest_step(tile, levels):
    return 384


# %% unet.step: wrong, "not a multiple"
def largest_step(tile, levels):
    return tile % 2 ** (levels - 1)


# %% unet.step: wrong, "at least one pixel"
def largest_step(tile, levels):
    return tile // 2 ** (2 * levels)


# %% unet.dice: solution
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: right, a tensor
def soft_dice_loss(truth, logits):
    p = tf.sigmoid(logits)
    return 1 - 2 * tf.reduce_sum(p * truth) / tf.reduce_sum(p + truth)


# %% unet.dice: right, Keras
def soft_dice_loss(truth, logits):
    return keras.losses.dice(truth, ops.sigmoid(logits))


# %% unet.dice: right, a loop
def soft_dice_loss(truth, logits):
    both = areas = 0
    for t, z in zip(truth.ravel(), logits.ravel()):
        p = 1 / (1 + np.exp(-z))
        both += p * t
        areas += p + t
    return 1 - 2 * both / areas


# %% unet.dice: right, what differs over all
def soft_dice_loss(truth, logits):
    p = (1 + np.tanh(logits / 2)) / 2
    return np.sum(p * (1 - truth) + truth * (1 - p)) / np.sum(p + truth)


# %% unet.dice: wrong, "Dice itself"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: wrong, "in place of probabilities"
def soft_dice_loss(truth, logits):
    return 1 - 2 * (logits * truth).sum() / (logits.sum() + truth.sum())


# %% unet.dice: wrong, "no gradient"
def soft_dice_loss(truth, logits):
    p = logits > 0
    return 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: wrong, "minus Dice"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return -2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.dice: wrong, "probabilities of background"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(logits))
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


# %% unet.dice: wrong, "adds 1"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)


# %% unet.dice: wrong, "run over all pixels"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return np.mean([1 - 2 * (a * b).sum() / (a.sum() + b.sum()) for a, b in zip(p, truth)])


# %% unet.dice: wrong, "expected one number"
def soft_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 1 - 2 * p * truth / (p + truth)


# %% unet.dice: wrong, "should be"
def soft_dice_loss(truth, logits):
    p = np.exp(logits) / np.exp(logits).sum()
    return 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())


# %% unet.split: solution
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: max(round(share * len(names)), 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: right, lists
def split_by_car(cars, share, rng):
    names = sorted(set(cars))
    rng.shuffle(names)
    held = names[: round(share * len(names)) or 1]
    parts = [], []
    for position, car in enumerate(cars):
        parts[car in held].append(position)
    return parts


# %% unet.split: right, drawn without replacement
def split_by_car(cars, share, rng):
    names, numbers = np.unique(cars, return_inverse=True)
    count = round(share * names.size) or 1
    is_held = np.zeros(names.size, bool)
    is_held[rng.choice(names.size, count, replace=False)] = True
    return np.flatnonzero(~is_held[numbers]), np.flatnonzero(is_held[numbers])


# %% unet.split: right, scikit-learn
def split_by_car(cars, share, rng):
    from sklearn.model_selection import GroupShuffleSplit

    held = round(share * len(set(cars))) or 1
    splitter = GroupShuffleSplit(test_size=held, random_state=np.random.RandomState(rng.bit_generator))
    return next(splitter.split(cars, groups=cars))


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


# %% unet.split: wrong, "is 2 in validation"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: max(int(share * len(names)), 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "same seed"
def split_by_car(cars, share, rng):
    names = np.random.default_rng().permutation(np.unique(cars))
    held = np.isin(cars, names[: max(round(share * len(names)), 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "you hold back"
def split_by_car(cars, share, rng):
    names = np.unique(cars)
    held = np.isin(cars, rng.choice(names, max(round(share * len(names)), 1)))
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "you hold back"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: max(round(0.2 * len(names)), 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "never held back"
def split_by_car(cars, share, rng):
    names = np.unique(cars)
    count = max(round(share * len(names)), 1)
    first = rng.integers(len(names) - count)
    held = np.isin(cars, names[first : first + count])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "never held back together"
def split_by_car(cars, share, rng):
    names = np.unique(cars)
    count = max(round(share * len(names)), 1)
    held = np.isin(cars, np.roll(names, rng.integers(len(names)))[:count])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "you hold back 3"
def split_by_car(cars, share, rng):
    names = rng.permutation(np.unique(cars))
    held = np.isin(cars, names[: int(np.ceil(share * len(names)))])
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% unet.split: wrong, "in both parts"
def split_by_car(cars, share, rng):
    names, first = np.unique(cars, return_index=True)
    held = rng.permutation(first)[: max(round(share * len(names)), 1)]
    return np.setdiff1d(np.arange(len(cars)), held), held


# %% unet.mirrored: solution
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1]]
    return sum(1 / (1 + np.exp(-z)) for z in answers) / 2


# %% unet.mirrored: right, TensorFlow
def average_of_mirrored(predict, pictures):
    mirrored = tf.image.flip_left_right(pictures)
    answers = predict(pictures), tf.image.flip_left_right(predict(mirrored))
    return tf.reduce_mean(tf.sigmoid(answers), axis=0)


# %% unet.mirrored: right, one call for both
def average_of_mirrored(predict, pictures):
    z = predict(np.concatenate([pictures, np.flip(pictures, 2)]))
    plain, mirrored = np.split(1 / (1 + np.exp(-z)), 2)
    return (plain + np.flip(mirrored, 2)) / 2


# %% unet.mirrored: right, picture by picture
def average_of_mirrored(predict, pictures):
    found = []
    for picture in pictures:
        (plain,) = ops.sigmoid(predict(picture[None]))
        (mirrored,) = ops.sigmoid(predict(np.fliplr(picture)[None]))
        found.append(0.5 * plain + 0.5 * np.fliplr(mirrored))
    return found


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


# %% unet.mirrored: wrong, "counts the pictures"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[::-1])[::-1]]
    return sum(1 / (1 + np.exp(-z)) for z in answers) / 2


# %% unet.mirrored: wrong, "not the pictures"
def average_of_mirrored(predict, pictures):
    z = predict(pictures)
    return sum(1 / (1 + np.exp(-answer)) for answer in (z, z[:, :, ::-1])) / 2


# %% unet.mirrored: wrong, "a mean is half"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1]]
    return sum(1 / (1 + np.exp(-z)) for z in answers)


# %% unet.mirrored: wrong, "never called"
def average_of_mirrored(predict, pictures):
    return (pictures + pictures[:, :, ::-1])[..., :1] / 2


# %% unet.mirrored: wrong, "shape"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1]]
    return np.mean([1 / (1 + np.exp(-z)) for z in answers])


# %% unet.mirrored: wrong, "mirror images alone"
def average_of_mirrored(predict, pictures):
    return 1 / (1 + np.exp(-predict(pictures[:, :, ::-1])[:, :, ::-1]))


# %% unet.mirrored: wrong, "your mean is mirrored"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures)[:, :, ::-1], predict(pictures[:, :, ::-1])]
    return sum(1 / (1 + np.exp(-z)) for z in answers) / 2


# %% unet.mirrored: wrong, "half a circle"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, ::-1, ::-1])[:, ::-1, ::-1]]
    return sum(1 / (1 + np.exp(-z)) for z in answers) / 2


# %% unet.mirrored: wrong, "minus sign"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1]]
    return sum(1 / (1 + np.exp(z)) for z in answers) / 2


# %% unet.mirrored: wrong, "averages masks"
def average_of_mirrored(predict, pictures):
    answers = [predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1]]
    return np.mean([z > 0 for z in answers], axis=0)


# %% unet.mirrored: wrong, "the larger"
def average_of_mirrored(predict, pictures):
    z = np.maximum(predict(pictures), predict(pictures[:, :, ::-1])[:, :, ::-1])
    return 1 / (1 + np.exp(-z))


# %% unet.mirrored: wrong, "0.773 is right"
def average_of_mirrored(predict, pictures):
    z = predict((pictures + pictures[:, :, ::-1]) / 2)
    return 1 / (1 + np.exp(-z))
