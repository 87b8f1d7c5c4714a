"""Exercises of lesson 06, U-Net."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, function, number


def _size(answer):
    """Give the height that a valid U-Net of four levels returns for 572 pixels."""
    value = number(answer)
    others = {
        388: "388 is what five levels return; with one pooling less, less is lost.",
        572: "572 is what padded convolutions would return; here each of them takes 2 pixels.",
        68: "68 is the height after the third pooling; the bottom and the way up are still to come.",
        64: "64 is the height of the bottom level's maps; the way up is still to come.",
    }
    if value == 484:
        return
    raise Wrong(
        others.get(
            value,
            f"{value:g} is not it: four levels mean three poolings. Follow 572, 568, 284, ... to the bottom and up again.",
        )
    )


def _step(answer):
    """Write largest_step(tile, levels): the largest step between tiles that leaves neither a seam nor a gap."""
    find = function(answer)
    tried = ((388, 5), (100, 3), (484, 4), (130, 3), (384, 5), (50, 1))
    for tile, levels in tried:
        found, block = number(find(tile, levels)), 2 ** (levels - 1)
        wanted = tile // block * block
        case = f"for tiles of {tile} and {levels} levels you give {found:g}"
        if found == wanted:
            continue
        if found > tile:
            raise Wrong(f"{case}: tiles that are further apart than they are large leave pixels out.")
        if found % block:
            more = f", and {2**levels} is one doubling too many" if found % (2**levels) == 0 else ""
            raise Wrong(
                f"{case}: {levels} levels have {levels - 1} poolings, so blocks of {block}, and this is no multiple of them{more}."
            )
        if found <= 0:
            raise Wrong(f"{case}: a step must lead on.")
        raise Wrong(f"{case}: that works, and {wanted} works too, with fewer tiles.")


def _reference_dice_loss(truth, logits):
    p = 1 / (1 + np.exp(-logits))
    return 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())


def _dice(answer):
    """Write soft_dice_loss(truth, logits): 1 - Dice, with probabilities in place of the predicted mask."""
    find = function(answer)
    rng = np.random.default_rng(0)
    for shape in ((4, 4), (2, 8, 8, 1)):
        truth, logits = (rng.random(shape) < 0.4).astype(float), rng.normal(0, 2, shape)
        found, wanted = number(find(truth, logits)), _reference_dice_loss(truth, logits)
        if np.isclose(found, wanted, atol=1e-3):
            continue
        p = 1 / (1 + np.exp(-logits))
        both, areas = (p * truth).sum(), p.sum() + truth.sum()
        hard = 1 - 2 * ((logits > 0) * truth).sum() / ((logits > 0).sum() + truth.sum())
        others = {
            1 - wanted: "this is Dice itself; a loss must fall where Dice rises.",
            1
            - 2
            * (logits * truth).sum()
            / (
                logits.sum() + truth.sum()
            ): "these are logits in the place of probabilities: p = 1 / (1 + exp(-z)) comes first.",
            hard: "this thresholds the logits, and a step has no gradient: keep the probabilities.",
            1 - both / areas: "twice the common area is wanted above the line: a perfect mask should lose 0, not 0.5.",
            1
            - 2
            * both
            / (
                (p**2).sum() + truth.sum()
            ): "you square below the line, which is another common form; here plain sums are wanted.",
            1 - both / (areas - both): "this is IoU: Dice divides twice the common area by the sum of both areas.",
        }
        for wrong, message in others.items():
            if np.isclose(found, wrong, atol=1e-6):
                raise Wrong(message)
        raise Wrong(
            f"on {truth.size} pixels you give {found:.4f}, and {wanted:.4f} is wanted: 1 - 2 sum(p t) / (sum p + sum t)."
        )


def _split(answer):
    """Write split_by_car(cars, share, rng): positions for training and validation, with no car in both."""
    find = function(answer)
    rng = np.random.default_rng(1)
    drawn = set()
    for count, views, share in ((10, 16, 0.2), (7, 5, 0.3), (3, 4, 0.1), (10, 16, 0.2)):
        cars = rng.permutation(np.repeat([f"car {k}" for k in range(count)], views))
        result = find(cars, share, rng)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Wrong("two arrays of positions are wanted: `return training, validation`.")
        for part in result:
            if isinstance(part, tuple) and len(part) == 1:
                raise Wrong("np.where and np.nonzero return a tuple: take its first entry, or use np.flatnonzero.")
            if isinstance(part, np.ndarray) and part.dtype == bool:
                raise Wrong("these are masks, and positions are wanted: np.flatnonzero(mask) gives them.")
        parts = [
            array(part, kinds="iu", what=name) for part, name in zip(result, ("training", "validation"), strict=True)
        ]
        if any(part.ndim != 1 for part in parts):
            raise Wrong(f"each part should have one axis, and yours have {[part.ndim for part in parts]}.")
        both = np.concatenate(parts)
        if sorted(both.tolist()) != list(range(len(cars))):
            raise Wrong(
                f"each of {len(cars)} positions should be in one part, and {len(set(both.tolist()))} different ones are in {len(both)} places."
            )
        held = [set(cars[part].tolist()) for part in parts]
        if held[0] & held[1]:
            raise Wrong(
                f"{len(held[0] & held[1])} of {count} cars are in both parts: draw cars, then take their pictures."
            )
        wanted = max(round(share * count), 1)
        if len(held[1]) != wanted:
            raise Wrong(
                f"of {count} cars a share of {share} is {wanted} in validation (rounded, at least one), and you hold back {len(held[1])}."
            )
        if count == 10:
            drawn.add(tuple(sorted(held[1])))
    if len(drawn) == 1:
        raise Wrong("two calls hold back the same cars: draw them with `rng`.")


def _mirrored(answer):
    """Write average_of_mirrored(predict, pictures): the mean probability of pictures and mirror images, in the pictures' frame."""
    find = function(answer)
    rng = np.random.default_rng(2)
    pictures, slope = rng.random((2, 4, 6, 3)), np.linspace(-3, 3, 24).reshape(4, 6, 1)
    seen = []

    def predict(given):
        seen.append(np.shape(given))
        return np.asarray(given)[..., :1] * 4 - 2 + slope  # it leans to the right and down, whatever it is given

    def probability(z):
        return 1 / (1 + np.exp(-z))

    plain, flipped = predict(pictures), predict(pictures[:, :, ::-1])
    seen.clear()
    found = array(find(predict, pictures), shape=(2, 4, 6, 1), what="the mean")
    wanted = (probability(plain) + probability(flipped[:, :, ::-1])) / 2
    if not seen:
        raise Wrong("predict was never called: it alone knows what the network answers.")
    upside = predict(pictures[:, ::-1])[:, ::-1]
    others = (
        (probability((plain + flipped[:, :, ::-1]) / 2), "this averages logits; turn each into probabilities first."),
        ((plain + flipped[:, :, ::-1]) / 2, "these are logits: the mean of probabilities is wanted, between 0 and 1."),
        (
            (probability(plain) + probability(flipped)) / 2,
            "the answer for the mirror image is mirrored too: turn it back before you average.",
        ),
        (
            (probability(plain) + probability(upside)) / 2,
            "these are upside down: left and right lie on axis 2 of (N, H, W, C).",
        ),
        (probability(plain), "this is the answer for the pictures alone; the mirror images are missing."),
    )
    if np.allclose(found, wanted, atol=1e-5):
        return
    for wrong, message in others:
        if np.allclose(found, wrong, atol=1e-5):
            raise Wrong(message)
    raise Wrong(
        f"on two pictures your mean differs by up to {np.abs(found - wanted).max():.2f} from the one that is wanted: predict both, turn one back, average."
    )


EXERCISES = (
    Exercise(
        "unet.size",
        _size,
        hint="The rule l' = 2l + 8 begins with l = 4 at the bottom, which is one level; apply it for each level above.",
        right="572, 568, 284, 280, 140, 136, 68, 64, and up: 128, 124, 248, 244, 488, 484.",
    ),
    Exercise(
        "unet.step",
        _step,
        hint="How large is the block that the last pooling makes, measured in pixels of the picture? Round the tile down to whole blocks.",
        right="whole blocks, as many as fit into a tile.",
    ),
    Exercise(
        "unet.dice",
        _dice,
        hint="Write Dice for two masks with sums and products only; then let p take the place of one of them.",
        right="it looks at whole areas, so a small object counts as much as a large one.",
    ),
    Exercise(
        "unet.split",
        _split,
        hint="np.unique(cars) lists each car once. Draw some of these, and ask with np.isin which pictures show them.",
        right="whoever is in validation was never seen, from any side.",
    ),
    Exercise(
        "unet.mirrored",
        _mirrored,
        hint="Which axis of (N, H, W, C) runs from left to right? What has to happen to the second answer before it lies over the first?",
        right="two looks cost twice the time, and their errors partly cancel.",
    ),
)
