"""Exercises of lesson 07: classification and localization."""

import numpy as np

from course_utils import geometry
from course_utils.checker import Exercise, Wrong, array, expect, function, number


def _shifted(answer):
    """Give the IoU of two boxes of 20 x 20 that lie 5 pixels apart in both directions."""
    found = number(answer)
    if abs(found - 225 / 575) < 0.002:
        return
    for value, words in (
        (225 / 400, "the share of the true box that is covered; the union is larger than one box"),
        (225 / 800, "225 / 800: the shared part is counted twice below the line, so take it off once"),
        (400 / 625, "the area of one box over that of the square around both"),
        (225 / 625, "the square around both boxes below the line; the union leaves two of its corners out"),
        (0.75, "right for one direction only: width and height of the shared part are 15 each"),
        (300 / 500, "right for a shift in one direction; there are two"),
        (225, "the shared area; divide it by the area of the union"),
        (15 / 25, "right for lengths along one direction; areas are products of two"),
        (39.13, "a percentage; an IoU lies between 0 and 1"),
    ):
        if abs(found - value) < 0.002:
            raise Wrong(f"{found:g} is {words}.")
    if not 0 <= found <= 1:
        raise Wrong(f"an IoU lies between 0 and 1, and you give {found:g}.")
    raise Wrong(f"you give {found:g}: the shared part is 15 x 15. What is the area that either box covers?")


def _weight(answer):
    """Give the b for boxes in picture widths that trains as b = 0.05 does for boxes in pixels."""
    found, wanted = number(answer), 0.05 * 128**2
    if abs(found - wanted) < 0.5:
        return
    for value, words in (
        (0.05, "unchanged; every error is 128 times smaller now"),
        (0.05 * 128, "right for a loss that grows like the error, as the RMSE; this one grows like its square"),
        (0.05 / 128**2, "turned round: the loss has become smaller, so its weight must become larger"),
        (0.05 / 128, "turned round, and for a loss that grows like the error"),
        (0.05 * 4 * 128**2, "four times too large: the sum has four terms before and after"),
    ):
        if abs(found - value) < 1e-3 * value:
            raise Wrong(f"{found:g} is {words}.")
    raise Wrong(f"with b = {found:g} the box loss would count {found / wanted:.3g} times as much as before.")


def _edges(answer):
    """Write to_edges(boxes, height, width): x, y, height, width in pixels to normalized edges."""
    convert = function(answer)
    given = np.array([[10.0, 20.0, 30.0, 60.0], [0.0, 0.0, 100.0, 200.0]])
    wanted = np.array([[0.05, 0.2, 0.35, 0.5], [0.0, 0.0, 1.0, 1.0]])  # of a picture 100 high and 200 wide
    found = array(convert(given, 100, 200), shape=(2, 4), what="the result for two boxes")
    if np.allclose(found, wanted, atol=1e-6):
        empty = array(convert(np.zeros((0, 4)), 100, 200), what="the result for no boxes")
        if empty.shape != (0, 4):
            raise Wrong(f"no boxes, (0, 4), should give no boxes, and give the shape {empty.shape}: write boxes[:, 0].")
        rng = np.random.default_rng(0)
        for rows, columns in ((64, 64), (31, 77), (200, 50)):
            x, y, h, w = boxes = rng.uniform(0, 30, (4, 9))
            right = np.stack([x / columns, y / rows, (x + w) / columns, (y + h) / rows], axis=1)
            expect(
                convert(boxes.T, rows, columns),
                right,
                what=f"the result for a picture {rows} high and {columns} wide",
                atol=1e-5,
            )
        return
    scale = np.array([200, 100, 200, 100])
    x, y, height, width = given.T
    for guess, words in (
        (np.stack([x, y, x + height, y + width], 1) / scale, "height and width are swapped: the third number is the height, and y1 is y + height"),
        (np.stack([x, y, x + width, y + height], 1), "these are pixels: divide by the picture's width and height"),
        (np.stack([x, y, x + width, y + height], 1) / 200, "everything is divided by the width; edges up and down are shares of the height"),
        (np.stack([x, y, x + width, y + height], 1) / 100, "everything is divided by the height; edges left and right are shares of the width"),
        (np.stack([x, y, x + width, y + height], 1) / scale[[1, 0, 3, 2]], "x is divided by the height and y by the width"),
        (np.stack([x, y, height, width], 1) / scale, "the last two are still height and width: an edge is where the box ends"),
        (np.stack([x, y, width, height], 1) / scale, "the last two are still width and height: an edge is where the box ends"),
    ):  # fmt: skip
        if np.allclose(found, guess, atol=1e-6):
            raise Wrong(f"{words}.")
    raise Wrong(
        f"in a picture 100 high and 200 wide, the box at x = 10, y = 20, 30 high and 60 wide has the edges "
        f"{wanted[0].tolist()}, and you give {np.round(found[0], 3).tolist()}."
    )


def _mirror(answer):
    """Write mirror(images, boxes): pictures (N, H, W) and boxes (N, 4) in pixels, left for right."""
    turn = function(answer)
    images = np.random.default_rng(0).integers(0, 100, (2, 20, 30)).astype(np.uint8)
    boxes = np.array([[3.0, 5.0, 10.0, 9.0], [0.0, 2.0, 30.0, 4.0]])
    for image, (x0, y0, x1, y1) in zip(images, boxes.astype(int), strict=True):
        image[y0:y1, x0:x1] = 255
    result = turn(images, boxes)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Wrong("expected two things: `return images, boxes`.")
    turned = array(result[0], shape=images.shape, what="the pictures")
    found = array(result[1], shape=boxes.shape, what="the boxes")
    _judge_pictures(turned, images)
    wanted = np.array([[20.0, 5.0, 27.0, 9.0], [0.0, 2.0, 30.0, 4.0]])  # 30 - 10, 30 - 3
    if np.allclose(found, wanted):
        rng = np.random.default_rng(1)
        for count, height, width in ((1, 7, 7), (3, 11, 4)):
            images, boxes = rng.integers(0, 255, (count, height, width)), rng.uniform(0, 4, (count, 4))
            result = turn(images, boxes)
            _judge_pictures(array(result[0], shape=images.shape, what="the pictures"), images)
            right = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
            expect(result[1], right, what=f"the boxes in pictures {height} high and {width} wide", atol=1e-4)
        return
    for guess, words in (
        (boxes, "the boxes have stayed where they were"),
        (wanted[:, [2, 1, 0, 3]], "left and right edge have changed their roles: the new left edge comes from the old right one"),
        (wanted - [1, 0, 1, 0], "off by one: edges lie between pixels, so the right border is at W, and not at W - 1"),
        (np.stack([20 - boxes[:, 2], boxes[:, 1], 20 - boxes[:, 0], boxes[:, 3]], 1), "the boxes are mirrored at the height; x runs along the width"),
    ):  # fmt: skip
        if np.allclose(found, guess):
            raise Wrong(f"the pictures are right; {words}.")
    raise Wrong(
        f"in a picture 30 wide, the box {boxes[0].tolist()} becomes {wanted[0].tolist()}, and you give {found[0].tolist()}."
    )


def _judge_pictures(turned, images):
    if np.array_equal(turned, images[:, :, ::-1]):
        return
    if np.array_equal(turned, images):
        raise Wrong("the pictures have stayed as they were: `images[:, :, ::-1]` runs along the width backwards.")
    if np.array_equal(turned, images[:, ::-1]):
        raise Wrong("the pictures are upside down: rows come before columns in (N, H, W).")
    if np.array_equal(turned, images[::-1]):
        raise Wrong(
            "the order of the pictures is turned round, and no picture is mirrored: the first axis counts pictures."
        )
    raise Wrong("the pictures are not the mirrored ones.")


def _cases():
    """Truth and answers of 14 pictures, made so that each way to miscount gives another number."""
    corners = 50.0 * np.arange(14)[:, None]  # far apart: a box compared with another picture's truth shares nothing
    truth = np.hstack([corners, corners, corners + 20, corners + 20])
    found = truth.copy()
    found[[2, 3, 6, 8]] += [10, 0, 10, 0]  # 200 of 600
    found[[4, 5, 7]] -= [0, 0, 0, 10]  # 200 of 400, exactly a half
    found[9] += [1, 0, 1, 0]  # 380 of 420
    labels = np.arange(14) % 10
    found_labels = labels.copy()
    found_labels[[1, 3, 8]] += 1
    return labels, truth, found_labels, found


_MISCOUNTED = {
    2: "you count a picture if both are wrong, and one is enough",
    3: "you count the wrong labels alone",
    4: "you count the wrong boxes alone",
    6: "this is the share of right pictures, and with an IoU of exactly 0.5 a box is right",
    7: "a picture with a wrong label and a wrong box is counted twice; join the two conditions with |",
    8: "an IoU of exactly 0.5 is not below 0.5",
    9: "this is the share of right pictures, and the error is the share of wrong ones",
    14 * 5: "this is the number of wrong pictures, so divide by how many there are",
}


def _error(answer):
    """Write localization_error(labels, boxes, found_labels, found_boxes): the share with a wrong label or IoU below 0.5."""
    judge = function(answer)
    value = number(judge(*_cases()))
    if abs(value - 5 / 14) > 1e-6:
        count = round(14 * value) if abs(14 * value - round(14 * value)) < 1e-6 else None
        words = _MISCOUNTED.get(count, "other pictures are meant")
        raise Wrong(f"of 14 pictures five have a wrong label or box, 0.357, and you give {value:.3g}: {words}.")
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 20, (80, 2))
    truth = np.hstack([corners, corners + 20])
    found = truth + rng.normal(0, 4, (80, 1))
    labels, found_labels = rng.integers(0, 3, (2, 80))
    overlaps = np.diag(geometry.iou(truth, found))
    wanted = ((labels != found_labels) | (overlaps < 0.5)).mean()
    value = number(judge(labels, truth, found_labels, found))
    if abs(value - wanted) > 1e-6:
        raise Wrong(
            f"14 chosen pictures come out right, and of 80 further ones {wanted:.3f} are wrong, where you give {value:.3f}: "
            "is each box compared with the truth of its own picture, and IoU computed for both directions?"
        )


EXERCISES = (
    Exercise(
        "localization.shifted",
        _shifted,
        hint="The shared part is a square of 15 x 15. The union is both areas, less the part that was counted twice.",
        right="a quarter of the side in both directions is enough to fall from 1 to 0.39.",
    ),
    Exercise(
        "localization.weight",
        _weight,
        hint="An error of e pixels is an error of e / 128 widths. How much smaller is its square?",
        right="819.2: a weight means nothing without the unit of its loss.",
    ),
    Exercise(
        "localization.edges",
        _edges,
        hint="`x, y, h, w = boxes.T` names the columns; y1 is y + h. Which edges are shares of the picture's width?",
        right="edges left and right are shares of the width, upper and lower ones of the height.",
    ),
    Exercise(
        "localization.mirror",
        _mirror,
        hint="A column x from the left is W - x from the left after mirroring. Which old edge becomes the new left one?",
        right="what turns the picture must turn the box, and left and right change their roles.",
    ),
    Exercise(
        "localization.error",
        _error,
        hint="`overlap_over_union` judges one pair; make an array of it over `zip(boxes, found_boxes)`, and join two conditions with |.",
        right="one number that both tasks must earn.",
    ),
)
