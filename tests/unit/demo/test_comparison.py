"""Accuracies as they are told."""

from hitl_mlops.demo.comparison import Comparison, accuracy, points, right
from hitl_mlops.statistics.rates import Rate


def test_an_accuracy_is_one_minus_the_error_with_its_ends_turned_round():
    assert accuracy(Rate(0.25, 0.125, 0.5, 8, 8)) == (0.75, 0.5, 0.875)
    assert right(Rate(0.104, 0.072, 0.148, 250, 250)) == "89.6 % (85.2…92.8)"


def test_fewer_errors_are_points_gained():
    assert points(Rate(-0.088, -0.124, -0.052, 250, 250)) == "+8.8 points (+5.2…+12.4)"


def test_both_versions_and_the_difference_are_in_one_sentence():
    found = Comparison(
        "1", "2", Rate(0.5, 0.4, 0.6, 90, 90), Rate(0.1, 0.05, 0.2, 90, 90), Rate(-0.4, -0.5, -0.3, 90, 90)
    )
    assert "On 90 cheques" in found.told()
    assert "version 1 reads 50.0 % (40.0…60.0) right, version 2 90.0 % (80.0…95.0)" in found.told()
    assert "+40.0 points (+30.0…+50.0)" in found.told()
