"""Comparing answers: what is right, what is named as a known mistake, and what is wrong."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from course_utils.checker import Wrong, array, cases, describe, expect


@pytest.mark.parametrize(
    "value",
    [6, 6.0, np.float32(6), np.array(6), np.array([6]), True + 5, Fraction(12, 2), Decimal("6.0"), np.ma.array(6)],
)
def test_right_value_passes_in_any_form(value):
    expect(value, 6)


def test_right_array_passes_as_list_and_in_another_dtype():
    for value in ([1, 2], (1.0, 2.0), np.array([1, 2], np.uint8)):
        expect(value, [1, 2])


def test_whole_numbers_may_be_floats_and_nothing_else():
    for value in ([0, 2], [0.0, 2.0], np.array([0, 2], object)):
        assert array(value, kinds="iu").dtype.kind == "i"
    for value in ([0.5, 2], [np.nan, 2], [np.inf, 2], ["0", "2"]):
        with pytest.raises(Wrong, match="an array of whole numbers, got a list"):
            array(value, kinds="iu")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "one too few"), ("6", "leave out the quotes"), (float("nan"), "finite"), ([6, 6], "one number"),
        (9, "your answer should be 6, but it is 9"), (int, "got a class: call it"), (abs, "got a function: call it"),
        (np.ma.masked, "your answer has masked entries"), (np.ma.array([6], mask=[True]), "masked entries"),
    ],
)  # fmt: skip
def test_wrong_value_is_answered(value, words):
    with pytest.raises(Wrong, match=words):
        expect(value, 6, near={5: "this is one too few."})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1], "a list"), (1j, "a complex"), (iter([]), "a list_iterator"), (OSError(), "an OSError"), (len, "a function"), (None, "None"),
        (np.zeros((2, 3), np.uint8), "an array of shape (2, 3) and dtype uint8"), (np.float32(2), "the number 2.0"),
    ],
)  # fmt: skip
def test_value_is_named_as_a_person_would(value, words):
    assert describe(value) == words


def test_tensor_is_named_with_its_shape():
    tf = pytest.importorskip("tensorflow")
    assert describe(tf.zeros((2, 3))) == "a tensor of shape (2, 3) and dtype float32"


def test_shape_is_named_before_values():
    with pytest.raises(Wrong, match=r"shape \(2,\), got \(3,\)"):
        expect([1, 2, 3], [1, 2])


def test_mistake_that_makes_no_difference_blames_nobody():
    with pytest.raises(Wrong, match="should be"):
        expect(3, 6, near=[(6, "never said")])
    expect(6, 6, near=[(6, "never said")])


def test_own_sentence_can_hold_both_values():
    with pytest.raises(Wrong, match="got 7, wanted 6"):
        expect(7, 6, otherwise="got {value}, wanted {right}")


def test_cases_stop_at_the_first_that_differs_and_name_it():
    near = [(lambda a, b: a * b, "you multiply.")]
    cases(lambda a, b: a + b, [(2, 2), (3, 4)], lambda a, b: a + b, near)
    with pytest.raises(Wrong, match=r"for a = 3 and b = 4: you multiply\."):
        cases(lambda a, b: a * b, [(2, 2), (3, 4)], lambda a, b: a + b, near, case="for a = {0} and b = {1}")
    with pytest.raises(Wrong, match=r"for 3, 4: your result should be 7, but it is 0"):
        cases(lambda a, b: 0, [(3, 4)], lambda a, b: a + b, near)
    with pytest.raises(
        Wrong, match=r"for an array of shape \(20,\) and dtype float64: .*should be \[1, 2\], but it is \[1, 3\]"
    ):
        cases(lambda a: [1, 3], [(np.zeros(20),)], lambda a: np.array([1, 2]))
