# SPDX-License-Identifier: MPL-2.0
"""Tests of picks.py: python3 -m unittest discover demo"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import picks
import poses


def head(number, yaw, width=20):
    return {"id": number, "score": 0.9, "box": {"x": 0, "y": 0, "w": width, "h": width}, "yaw": yaw,
            "rear": abs(yaw) > 90, "predicted": False, "truncated": False}


def frames(heads_at):
    """Six seconds at ten frames a second."""
    return [{"pts": i * 100_000_000, "heads": heads_at(i / 10)} for i in range(60)]


class Picks(unittest.TestCase):
    def test_the_turn_is_that_of_the_head_that_turns(self):
        def heads(time):
            flickering = 170 if round(time * 10) % 2 else 10
            return [head(1, 5), head(2, flickering), head(3, max(0, min(170, 170 - (time - 3) * 300)))]

        track, time = picks.find_turn(poses.follow(frames(heads)))
        self.assertEqual(track.name, "id 3")
        self.assertAlmostEqual(time, 3.25, delta=0.11)

    def test_no_turn_without_one(self):
        self.assertIsNone(picks.find_turn(poses.follow(frames(lambda time: [head(1, 5), head(2, 170)]))))

    def test_heads_of_each_side_come_from_many_tracks_and_false_ones_from_none(self):
        def heads(time):
            return [head(1, 5), head(2, -5), head(3, 100), head(4, 175), head(5, 175, width=2)]

        chosen = picks.heads_by_side(poses.follow(frames(heads)), 2)
        self.assertEqual({h["id"] for _, h in chosen["front"]}, {1, 2})
        self.assertEqual({h["id"] for _, h in chosen["profile"]}, {3})
        self.assertEqual({h["id"] for _, h in chosen["behind"]}, {4})

    def test_the_richest_frame_has_most_sides(self):
        def heads(time):
            return [head(i, 0) for i in range(1, 9)] if time != 4.2 else [head(1, 0), head(2, 90), head(3, 170)]

        self.assertEqual(picks.richest_frame(frames(heads)), 42)


if __name__ == "__main__":
    unittest.main()
