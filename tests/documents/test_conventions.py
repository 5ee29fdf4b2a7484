# SPDX-License-Identifier: MPL-2.0
"""The conversions in docs/conventions.md, executed from the page and compared with the rotations as each program defines them."""

import itertools
import math
import pathlib
import re
import unittest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/conventions.md"
CODE = re.search(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)[1]
page = {}
exec(compile(CODE, str(PAGE), "exec"), page)  # pylint: disable=exec-used

FRONT = list(itertools.product((-75, -20, 0, 35, 80), (-60, 0, 25), (-50, 0, 40)))
REAR = list(itertools.product((-170, -120, 130, 175), (-60, 0, 25), (-50, 0, 40)))


def seen(matrix, nose, right, to_image):
    """The directions of a rotated head's nose and of its side on the image's right: x right, y down, z to the camera."""
    def image(vector):
        turned = [sum(matrix[i][k] * vector[k] for k in range(3)) for i in range(3)]
        return [sign * value for sign, value in zip(to_image, turned)]
    return image(nose) + image(right)


def ours(yaw, pitch, roll):
    return seen(page["rotation"](yaw, pitch, roll), (0, 0, 1), (1, 0, 0), (1, 1, 1))


def openvino(y, p, r):
    """As Open Model Zoo's demo composes and draws: x right, y down, z away; its rotation about y has the opposite sign."""
    turn = page["turn"]
    matrix = page["product"](turn("z", r), turn("y", -y), turn("x", p))
    return seen(matrix, (0, 0, -1), (1, 0, 0), (1, 1, -1))


def openface(rx, ry, rz):
    """R = Rx Ry Rz, x right, y down, z away from the camera."""
    turn = page["turn"]
    rx, ry, rz = map(math.degrees, (rx, ry, rz))
    matrix = page["product"](turn("x", rx), turn("y", ry), turn("z", rz))
    return seen(matrix, (0, 0, -1), (1, 0, 0), (1, 1, -1))


def mediapipe(matrix):
    """x right, y up, z towards the viewer."""
    return seen(matrix, (0, 0, 1), (1, 0, 0), (1, -1, 1))


class Conventions(unittest.TestCase):
    def near(self, found, expected, what):
        for a, b in zip(found, expected, strict=True):
            self.assertAlmostEqual(a, b, places=6, msg=str(what))

    def test_ours_is_what_the_tables_say(self):
        nose_x, nose_y, *_, = ours(30, 0, 0)
        self.assertLess(nose_x, 0, "yaw > 0: to the image's left")
        self.assertAlmostEqual(nose_y, 0)
        self.assertLess(ours(0, 30, 0)[1], 0, "pitch > 0: up")
        self.assertGreater(ours(0, 0, 30)[4], 0, "roll > 0: the right side goes down, clockwise")
        for pose in FRONT + REAR:
            self.near(page["angles"](page["rotation"](*pose)), pose, pose)

    def test_the_table_of_single_turns(self):
        for angle in (-40, 40):
            self.near(page["from_openvino"](angle, 0, 0), (-angle, 0, 0), "yaw")
            self.near(page["from_openvino"](0, angle, 0), (0, -angle, 0), "pitch")
            self.near(page["from_openvino"](0, 0, angle), (0, 0, angle), "roll")

    def test_each_way_there_shows_the_same_head(self):
        for pose in FRONT:
            self.near(openvino(*page["to_openvino"](*pose)), ours(*pose), pose)
        for pose in FRONT + REAR:
            self.near(openface(*page["to_openface"](*pose)), ours(*pose), pose)
            self.near(mediapipe(page["to_mediapipe"](*pose)), ours(*pose), pose)

    def test_each_way_back_is_the_inverse(self):
        for pose in FRONT:
            self.near(page["from_openvino"](*page["to_openvino"](*pose)), pose, pose)
        for pose in FRONT + REAR:
            self.near(page["from_openface"](*page["to_openface"](*pose)), pose, pose)
            self.near(page["from_mediapipe"](page["to_mediapipe"](*pose)), pose, pose)


if __name__ == "__main__":
    unittest.main()
