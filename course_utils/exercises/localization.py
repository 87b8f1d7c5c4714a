"""Exercises of lesson 07: classification and localization."""

import numpy as np

from course_utils import geometry
from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number


def _shifted(answer):
    """Give the IoU of two boxes of 20 x 20 that lie 5 pixels apart in both directions."""
    near = {
        value: f"{value:g} is {words}."
        for value, words in {
            225 / 400: "the share of the true box that is covered; the union is larger than one box",
            225 / 800: "225 / 800: the shared part is counted twice below the line, so take it off once",
            400 / 625: "the area of one box over that of the square around both",
            225
            / 625: "225 / 625, with the square around both boxes below the line; the union leaves two of its corners out",
            0.75: "right for one direction only: width and height of the shared part are 15 each",
            300
            / 500: "the IoU for a shift in one direction (there are two), or 15 / 25, a share of lengths (areas are products of two)",
            225: "the shared area; divide it by the area of the union",
            350 / 575: "what only one of the boxes covers, over the union; the shared part belongs above the line",
        }.items()
    }
    otherwise = (
        "you give {value}: the shared part is 15 x 15. What is the area that either box covers?"
        if 0 <= number(answer) <= 1
        else "an IoU lies between 0 and 1, and you give {value}."
    )
    expect(answer, 225 / 575, near, otherwise, rtol=0, atol=2e-3)


def _weight(answer):
    """Give the b for boxes in picture widths that trains as b = 0.05 does for boxes in pixels."""
    right = 0.05 * 128**2
    near = {
        value: f"{value:.5g} is {words}."
        for value, words in {
            0.05: "unchanged; every error is 128 times smaller now",
            0.05 * 128: "right for a loss that grows like the error, as the RMSE; this one grows like its square",
            0.05 / 128**2: "the wrong way around: the loss has become smaller, so its weight must become larger",
            0.05 / 128: "the wrong way around, and for a loss that grows like the error",
            0.05 * 4 * 128**2: "four times too large: the sum has four terms before and after",
            128**2: "the factor; it multiplies the old weight, 0.05",
            (0.05 * 128) ** 2: "the square of 0.05 * 128; the error is squared, and its weight is not",
        }.items()
    }
    otherwise = f"with b = {{value}} the box loss would count {number(answer) / right:.5g} times as much as before."
    expect(answer, round(right) if number(answer) == round(right) else right, near, otherwise, rtol=1e-4)


def _to_edges(boxes, height, width):
    x, y, h, w = boxes.T
    return np.stack([x / width, y / height, (x + w) / width, (y + h) / height], axis=1)


def _in_pixels(change):
    """A wrong answer that is made of the edges in pixels, the height, and the width."""

    def mistake(boxes, height, width):
        return change(_to_edges(boxes, 1, 1), height, width)

    return mistake


_EDGE_MISTAKES = (
    (
        lambda boxes, height, width: _to_edges(boxes[:, [0, 1, 3, 2]], height, width),
        "height and width are swapped: the third number is the height, and y1 is y + height.",
    ),
    (_in_pixels(lambda edges, height, width: edges), "these are pixels: divide by the picture's width and height."),
    (
        _in_pixels(lambda edges, height, width: edges / width),
        "everything is divided by the width; edges up and down are shares of the height.",
    ),
    (
        _in_pixels(lambda edges, height, width: edges / height),
        "everything is divided by the height; edges left and right are shares of the width.",
    ),
    (
        _in_pixels(lambda edges, height, width: edges / [height, width, height, width]),
        "x is divided by the height and y by the width.",
    ),
    (
        lambda boxes, height, width: boxes / [width, height, width, height],
        "the last two are still height and width: an edge is where the box ends.",
    ),
    (
        lambda boxes, height, width: boxes / [width, height, height, width],
        "the last two are still height and width: an edge is where the box ends.",
    ),
    (
        lambda boxes, height, width: boxes[:, [0, 1, 3, 2]] / [width, height, width, height],
        "the last two are still width and height: an edge is where the box ends.",
    ),
    (
        lambda boxes, height, width: _to_edges(boxes, height, width)[:, [1, 0, 3, 2]],
        "these are y0, x0, y1, x1; the order is x0, y0, x1, y1.",
    ),
    (
        lambda boxes, height, width: np.trunc(_to_edges(boxes, height, width)),
        "these are cut off to whole numbers, as pixels are: fill an array of floats.",
    ),
)  # fmt: skip


def _edges(answer):
    """Write to_edges(boxes, height, width): x, y, height, width in pixels to normalized edges."""
    rng = np.random.default_rng(0)
    tried = [(np.array([[10.0, 20.0, 30.0, 60.0], [0.0, 0.0, 100.0, 200.0]]), 100, 200)]
    tried += [
        (rng.uniform(1, 40, (count, 4)), height, width)
        for count, height, width in ((1, 90, 80), (4, 80, 333), (5, 128, 128))
    ]
    tried.append((rng.integers(1, 40, (3, 4)), 70, 60))  # pixels are often whole numbers
    cases(
        function(answer), tried, _to_edges, _EDGE_MISTAKES, "the edges should be {right}, and yours are {value}.",
        case="for boxes {0.shape} in a picture {1} high and {2} wide", what="the edges", atol=1e-6,
    )  # fmt: skip


def _mirrored_boxes(boxes, width):
    x0, y0, x1, y1 = boxes.T
    return np.stack([width - x1, y0, width - x0, y1], axis=1)


def _mirror(answer):
    """Write mirror(images, boxes): pictures (N, H, W) and boxes (N, 4) in pixels, left for right."""
    turn, rng = function(answer), np.random.default_rng(3)
    for count, height, width in ((2, 20, 30), (1, 15, 15), (3, 32, 9), (4, 16, 16)):
        images = rng.integers(0, 256, (count, height, width)).astype(np.uint8)
        corners = np.sort(rng.random((count, 2, 2)), axis=1) * [width, height]
        boxes = np.round(corners.reshape(count, 4), 1)
        boxes[: count - 1 : 3, [0, 2]] = 0, width  # as wide as the picture
        result = turn(images, boxes)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Wrong("expected two things, pictures and boxes: `return images, boxes`.")
        _judge_pictures(result[0], images)
        right = _mirrored_boxes(boxes, width)
        near = (
            (boxes, "the boxes have stayed where they were."),
            (np.hstack([right[:, :2], boxes[:, 2:]]), "the right edges have stayed where they were. Did you overwrite the old left edges before you used them?"),
            (right[:, [2, 1, 0, 3]], "the left and right edges have swapped roles: the new left edge comes from the old right one."),
            (right - [1, 0, 1, 0], "off by one: edges lie between pixels, so the right border is at W, and not at W - 1."),
            (_mirrored_boxes(boxes, height), "the boxes are mirrored at the height; x runs along the width."),
            (_mirrored_boxes(boxes[:, [1, 0, 3, 2]], height)[:, [1, 0, 3, 2]], "the boxes are mirrored up and down; left and right are x0 and x1."),
            (right[:1] + 0 * right, "every box is the first picture's, but each picture has its own."),
        )  # fmt: skip
        near = [(wrong, f"the pictures are right; {sentence}") for wrong, sentence in near]
        found = array(result[1], shape=boxes.shape, what="the boxes")
        worst = np.abs(found - right).max(axis=1).argmax()
        box, its_right, its_found = (np.round(each[worst], 3).tolist() for each in (boxes, right, found))
        expect(
            found, right, near,
            f"the pictures are right; in one {width} wide, the box {box} becomes {its_right}, and you give {its_found}.", atol=1e-4,
        )  # fmt: skip


def _judge_pictures(turned, images):
    near = (
        (images, "the pictures have stayed as they were: `images[:, :, ::-1]` runs along the width backwards."),
        (images[:, ::-1], "the pictures are upside down: rows come before columns in (N, H, W)."),
        (
            images[::-1],
            "the order of the pictures is reversed, and no picture is mirrored: the first axis counts pictures.",
        ),
        (images[:, ::-1, ::-1], "the pictures are rotated by half a turn: rows stay in their order, columns don't."),
    )
    expect(turned, images[:, :, ::-1], near, "the pictures are not the mirrored ones.", what="the pictures")


def _chosen_pictures():
    """Truth and answers of 26 pictures, made so that each way to miscount gives another number."""
    corners = 50.0 * np.arange(26)[:, None]  # far apart: a box compared with another picture's truth shares nothing
    truth = np.hstack([corners, corners, corners + 20, corners + 20])
    found = truth.copy()
    found[[2, 3, 6, 8, 14]] += [10, 0, 10, 0]  # 200 of 600, and half of the true box
    found[[10, 11]] += [0, 25, 0, 25]  # apart, below
    found[13] += [25, 0, 25, 0]  # apart, to the right
    found[[4, 5, 7]] -= [0, 0, 0, 10]  # 200 of 400, exactly a half
    found[9] += [1, 0, 1, 0]  # 380 of 420
    labels = np.arange(26) % 10
    labels[[6, 8, 10, 14]] += 1  # odd: then `labels != found | bad` without parentheses gives a number of its own
    found_labels = labels.copy()
    found_labels[[1, 3, 8]] += 1
    return labels, truth, found_labels, found


_MISCOUNTED = {
    2: "you count a picture if both are wrong, and one is enough",
    3: "you count the wrong labels alone",
    4: "| binds tighter than != in Python, so put each comparison into parentheses",
    5: "you compare the boxes up and down alone; an area needs both directions",
    6: "you divide the shared area by that of one box; divide it by that of the union",
    7: "either you compare the boxes left and right alone, and an area needs both directions, or you leave out the pictures where label and box are both wrong",
    8: "you count the wrong boxes alone",
    11: "a picture with a wrong label and a wrong box is counted twice; join the two conditions with |",
    12: "an IoU of exactly 0.5 is not below 0.5",
    14: "this is the share of right pictures, and with an IoU of exactly 0.5 a box is right",
    17: "this is the share of right pictures, and the error is the share of wrong ones",
    26 * 9: "this is the number of wrong pictures, so divide by how many there are",
    100 * 9: "this is in percent, and the error is a share between 0 and 1",
}


def _drawn_pictures():
    """Truth and answers of pictures at random; some boxes lie far off in both directions."""
    rng = np.random.default_rng(1)
    for count in (80, 1, 7, 33):
        corners = rng.uniform(0, 20, (count, 2))
        truth = np.hstack([corners, corners + rng.uniform(15, 25, (count, 2))])
        far = rng.random((count, 1)) < 0.2
        found = truth + rng.normal(0, 3, (count, 2))[:, [0, 1, 0, 1]] + 44 * far
        labels = rng.integers(0, 3, count)
        others = labels + rng.choice([-1, 1], count)
        yield labels, truth, np.where(rng.random(count) < 0.2, others, labels), found
        yield labels, truth / 128, labels, found / 128  # normalized, where a side below 1 is no rounding error
    yield np.arange(4), truth[:4], np.arange(4), truth[:4] + 1  # all right
    yield np.zeros(5, int), truth[:5], np.ones(5, int), truth[:5]  # all labels wrong


def _right_error(labels, boxes, found_labels, found_boxes):
    return ((labels != found_labels) | (np.diag(geometry.iou(boxes, found_boxes)) < 0.5)).mean()


def _error(answer):
    """Write localization_error(labels, boxes, found_labels, found_boxes): the share with a wrong label or IoU below 0.5."""
    judge = function(answer)
    told = "of 26 pictures nine have a wrong label or box, 0.346, and you give {value}"
    near = {count / 26: f"{told.format(value=f'{count / 26:.3g}')}: {words}." for count, words in _MISCOUNTED.items()}
    expect(judge(*_chosen_pictures()), 9 / 26, near, f"{told}: a picture is wrong if its label or its box is.")
    cases(
        judge, _drawn_pictures(), _right_error, (),
        "{right} of them are wrong, where you give {value}: is each box compared with the truth of its own picture, and "
        "is IoU computed for both directions, and 0 where boxes share nothing?",
        case="26 chosen pictures come out right, and for labels {0.shape} and boxes {1.shape} of further ones",
    )  # fmt: skip


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
        "localization.mirror",
        _mirror,
        hint="A column x from the left is W - x from the left after mirroring. Which old edge becomes the new left one?",
        right="whatever mirrors the picture must mirror the box, and left and right swap roles.",
    ),
    Exercise(
        "localization.edges",
        _edges,
        hint="`x, y, h, w = boxes.T` names the columns; y1 is y + h. Which edges are shares of the picture's width?",
        right="edges left and right are shares of the width, upper and lower ones of the height.",
    ),
    Exercise(
        "localization.error",
        _error,
        hint="`overlap_over_union` judges one pair; make an array of it over `zip(boxes, found_boxes)`, and join two conditions with |.",
        right="one number, and it falls only where both tasks are done well.",
    ),
)
