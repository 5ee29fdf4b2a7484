# SPDX-License-Identifier: MPL-2.0
"""Tests of the attention monitor, on values worked out by hand: python3 -m unittest discover examples/attention"""

import contextlib
import io
import json
import math
import os
import pathlib
import random
import re
import sys
import unittest
from contextlib import redirect_stderr
from html.parser import HTMLParser

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import drawing
import looking
import recording
import report
from looking import SECOND, Interval, Rule, Sample

FRAME = SECOND // 10  # the tests have ten frames a second


def interval(start, end):
    """In frames."""
    return Interval(start * FRAME, end * FRAME)


def samples(text, first=0):
    """One letter per frame: L looks (10 degrees off), w is within the hysteresis (22), A is away (40), a dot is lost."""
    off = {"L": 10.0, "w": 22.0, "A": 40.0}
    return [Sample((first + i) * FRAME, off[letter], off[letter], 0.0) for i, letter in enumerate(text) if letter != "."]


def line(time, *heads, **fields):
    """A line of dmheadposejson; a head is (id, yaw) and has no pitch."""
    heads = [
        {"id": head, "yaw": yaw, "pitch": 0.0, "rotation": [1, 0, 0, 0, 1, 0, 0, 0, math.cos(math.radians(yaw))]}
        for head, yaw in heads
    ]
    return json.dumps({"pts": round(time * SECOND), "source": "inferred", "age": 0, "heads": heads} | fields)


# Values to put in the place of a number, a string, a list or an object.
ODD = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64 - 1, 2**64, 10**400, 0.5, -0.0, 180.0, 1e30, 1e39, -1e308, math.inf, math.nan,
    "", "x", "\ud800", "<&'\">", "\0", [], [[]], [1] * 9, [math.inf] * 9, ["x"] * 9, {}, {"id": 1}, {"0": 1},
]  # fmt: skip


def broken(value):
    """A line made from this one, with something invalid in it."""
    text = json.dumps(odd(value))
    if random.random() < 0.3:
        start, count = random.randrange(len(text)), random.choice([0, 1, 1, 5, 50])
        text = text[:start] + random.choice(["", "", "\0", '"', "[", "[" * 3000, "1" * 400, "\ufffd", "e9"]) + text[start + count :]
    return text


def odd(value):
    """A copy of the JSON value with one of its values replaced, added or removed."""
    if not isinstance(value, (dict, list)) or not value or random.random() < 0.1:
        return random.choice(ODD)
    copy = value.copy()
    key = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
    if random.random() < 0.1:
        del copy[key]
    else:
        copy[key] = odd(value[key])
    return copy


class OffCamera(unittest.TestCase):
    def test_is_the_angle_between_the_nose_and_the_camera(self):
        # Rows of the pose (x right, y down, z to the camera): the nose is the last column.
        half, root = 0.5, math.sqrt(0.75)
        self.assertAlmostEqual(looking.off_camera([1, 0, 0, 0, 1, 0, 0, 0, 1]), 0)
        self.assertAlmostEqual(looking.off_camera([root, 0, -half, 0, 1, 0, half, 0, root]), 30)  # yaw 30
        self.assertAlmostEqual(looking.off_camera([-1, 0, 0, 0, 1, 0, 0, 0, -1]), 180)  # from behind
        self.assertAlmostEqual(looking.off_camera([0, -1, 0, 1, 0, 0, 0, 0, 1]), 0)  # lies on its side

    def test_takes_what_rounding_makes_of_one(self):
        self.assertEqual(looking.off_camera([1, 0, 0, 0, 1, 0, 0, 0, 1.0000001]), 0)


class Looks(unittest.TestCase):
    def looks(self, text, **rule):
        visit = samples(text)
        return looking.looks_of(visit, visit[-1].time + FRAME, Rule(**rule))

    def test_each_sample_stands_until_the_next(self):
        self.assertEqual(self.looks("AALLLLLAAA"), [interval(2, 7)])

    def test_to_begin_takes_less_than_to_go_on(self):
        self.assertEqual(self.looks("AwwwwLLLwwwwAAAwww"), [interval(5, 12)])

    def test_the_limits_themselves_count_as_near(self):
        visit = [Sample(i * FRAME, off, off, 0.0) for i, off in enumerate([20.1, 20.0, 25.0, 25.0, 25.1, 25.1, 25.1])]
        self.assertEqual(looking.looks_of(visit, 7 * FRAME, Rule()), [interval(1, 4)])

    def test_a_glance_lasts_the_least_duration(self):
        self.assertEqual(self.looks("AAALLAAA"), [])
        self.assertEqual(self.looks("AAALLLAAA"), [interval(3, 6)])
        self.assertEqual(self.looks("AAALAAA", min_duration=0), [interval(3, 4)])

    def test_to_look_away_for_less_does_not_end_it(self):
        self.assertEqual(self.looks("LLLLAALLLL"), [interval(0, 10)])
        self.assertEqual(self.looks("LLLLAAALLLL"), [interval(0, 4), interval(7, 11)])

    def test_flicker_changes_nothing(self):
        self.assertEqual(self.looks("AAALALLALALLAAA"), [])
        self.assertEqual(self.looks("LLLALALAALALLLAAA"), [interval(0, 14)])

    def test_who_comes_and_goes_looking_looks_all_the_time(self):
        self.assertEqual(self.looks("LLLLL"), [interval(0, 5)])

    def test_a_short_gap_keeps_the_pose(self):
        self.assertEqual(self.looks("LL...LLAAA"), [interval(0, 7)])
        self.assertEqual(self.looks("LLLA...LLL"), [interval(0, 3), interval(7, 10)])


class People(unittest.TestCase):
    def test_a_head_that_is_lost_for_long_was_away(self):
        # Lost for 5 frames: from sample to sample 0.6 s.
        one = looking.person(4, samples("LLLLL.....LLLAAAAA..AAA"), FRAME, Rule())
        self.assertEqual(one.visits, [interval(0, 5), interval(10, 23)])
        self.assertEqual(one.looks, [interval(0, 5), interval(10, 13)])
        self.assertEqual((one.visible, one.looking, one.longest), (18 * FRAME, 8 * FRAME, 5 * FRAME))

    def test_a_gap_of_the_limit_is_gone_through(self):
        one = looking.person(4, samples("LLL....LLL"), FRAME, Rule())
        self.assertEqual((one.visits, one.looks), ([interval(0, 10)], [interval(0, 10)]))

    def test_at_a_frame_a_second_a_missing_one_is_no_gap(self):
        slow = [Sample(i * SECOND, 10.0, 10.0, 0.0) for i in (0, 1, 3, 6)]
        one = looking.person(1, slow, SECOND, Rule())
        self.assertEqual(one.visits, [Interval(0, 4 * SECOND), Interval(6 * SECOND, 7 * SECOND)])

    def test_those_who_looked_longest_come_first_and_the_brief_are_left_out(self):
        seen = {
            1: samples("A" * 30),
            2: samples("L" * 10 + "A" * 10),
            3: samples("L" * 9),
            5: samples("A" * 12 + "L" * 12),
            8: samples("A" * 40, first=5),
        }
        found = looking.people(recording.Recording(frame_time=FRAME, samples=seen), Rule())
        self.assertEqual([one.id for one in found], [5, 2, 8, 1])

    def test_time_of_several_counts_once(self):
        covered = looking.merge([interval(5, 9), interval(0, 3), interval(2, 4), interval(6, 7), interval(9, 10)])
        self.assertEqual(covered, [interval(0, 4), interval(5, 10)])
        self.assertEqual(looking.total(covered), 9 * FRAME)


class Reading(unittest.TestCase):
    def test_times_begin_with_the_first_line(self):
        read = recording.read([line(5.0), line(5.1, (3, 60)), line(5.2, (3, 0)), line(5.4)])
        self.assertEqual(read.frame_time, FRAME)
        self.assertEqual(read.duration, 5 * FRAME)
        self.assertEqual([sample.time for sample in read.samples[3]], [FRAME, 2 * FRAME])
        self.assertEqual([round(sample.off_camera) for sample in read.samples[3]], [60, 0])

    def test_running_time_goes_before_the_streams_own(self):
        read = recording.read([line(90.0, (1, 0), running_time=0), line(2.0, (1, 0), running_time=FRAME)])
        self.assertEqual([sample.time for sample in read.samples[1]], [0, FRAME])

    def test_a_held_pose_is_of_the_frame_that_it_was_seen_in(self):
        held = {"source": "held"}
        read = recording.read([
            line(0.0, (1, 0)),
            line(0.1, (1, 0), age=FRAME, **held),
            line(0.2, (1, 0), age=2 * FRAME, **held),
            line(0.3, (1, 40), age=FRAME, **held),
            line(0.4, (1, 40), age=FRAME, source="tracked"),
        ])  # fmt: skip
        seen = [(sample.time, sample.yaw) for sample in read.samples[1]]
        self.assertEqual(seen, [(0, 0), (2 * FRAME, 40), (4 * FRAME, 40)])

    def test_a_pose_from_before_the_recording_counts_from_its_beginning(self):
        read = recording.read([line(0.0, (1, 0), source="held", age=FRAME), line(0.1, (1, 0))])
        self.assertEqual([sample.time for sample in read.samples[1]], [0, FRAME])

    def test_lines_that_cannot_be_read_are_left_out_and_counted(self):
        broken = [
            "Setting pipeline to PLAYING", "[1, 2]", '{"pts": 1', line(-1.0), line(0.15, pts=None),
            line(0.16, (1, 0)).replace("rotation", "turn"), line(0.17, (1, math.nan)),
            line(0.18, (1, 0)).replace(" 1.0]", "]"), line(0.19, ("one", 0)),
            "[" * 100_000, '{"a":' * 100_000, line(0.19, (10**400, 0)), line(0.19, (1, 181)),
            line(0.19, (1, 0)).replace('"yaw": 0', '"yaw": 1' + "0" * 400), line(0.19, (1, 0)).replace('"yaw": 0', '"yaw": 1e400'),
            line(0.19, (1, 0), pts=10**400), line(0.19, (1, 0), age=2**64, source="held"), line(0.19, (True, 0)),
            line(0.19, (1, 0)).replace('"yaw": 0', '"yaw": true'), line(0.19, (1, 0)).replace("[1, 0", "[1e39, 0"),
        ]  # fmt: skip
        read = recording.read([line(0.0, (1, 0)), *broken, "\n", line(0.2, (1, 0))])
        self.assertEqual((read.lines, read.skipped), (2, len(broken)))
        self.assertIn("line 2: ", read.skipped_reason)
        self.assertEqual(len(read.samples[1]), 2)

    def test_no_line_whatever_breaks_the_report(self):
        # The long form is `make fuzz`.
        random.seed(12)
        scene = [json.loads(line(i / 10, (1, 0), (2, 50), source_name="gate", running_time=i * FRAME)) for i in range(4)]
        for number in range(int(os.environ.get("FUZZ_INPUTS", 1000))):
            lines = [json.dumps(one) for one in scene]
            for _ in range(random.randint(1, 2)):
                index = random.randrange(len(lines))
                lines[index] = broken(scene[index])
            with self.subTest(number=number, lines=lines), contextlib.suppress(recording.RecordingError):
                read = recording.read(lines)
                rule = Rule(min_visible=0)
                report.html(read, looking.people(read, rule), rule, "Lobby").encode(errors="replace")

    def test_what_makes_no_report_says_why(self):
        cases = {
            "tracking=true": [line(0.0, (0, 0))],
            "time goes back": [line(1.0), line(0.9)],
            "'right'.*'left'": [line(0.0, source_name="left"), line(0.1, source_name="right")],
            "expected lines of dmheadposejson, found none": [],
            "line 1: JSONDecodeError": ["hello"],
        }
        for reason, lines in cases.items():
            with self.subTest(reason), self.assertRaisesRegex(recording.RecordingError, reason):
                recording.read(lines)

    def test_an_interrupt_ends_the_recording(self):
        def interrupted():
            yield line(0.0, (1, 0))
            yield line(0.1, (1, 0))
            raise KeyboardInterrupt

        with redirect_stderr(io.StringIO()):
            self.assertEqual(recording.read(interrupted()).lines, 2)


class Drawing(unittest.TestCase):
    def test_lengths_of_time(self):
        cases = {
            0: "0.0 s", 0.26: "0.3 s", 59.94: "59.9 s", 59.96: "1 min 00 s", 125: "2 min 05 s",
            3599.7: "1 h 00 min", 9000: "2 h 30 min",
        }  # fmt: skip
        for seconds, text in cases.items():
            self.assertEqual(drawing.spell(round(seconds * SECOND)), text)

    def test_positions_in_time(self):
        short, long = 60 * SECOND, 7200 * SECOND
        self.assertEqual(drawing.clock(round(9.96 * SECOND), short, 1), "0:10.0")
        self.assertEqual(drawing.clock(round(59.99 * SECOND), short, 1), "1:00.0")
        self.assertEqual(drawing.clock(3661 * SECOND, long, 0), "1:01:01")
        self.assertEqual(drawing.tick(4500 * SECOND, 900 * SECOND, long), "1h15")

    def test_a_line_breaks_where_an_angle_wraps(self):
        self.assertEqual(drawing.unbroken([(0, 170), (1, 179), (2, -179), (3, -170)]), [[(0, 170), (1, 179)], [(2, -179), (3, -170)]])

    def test_a_long_line_keeps_its_extremes(self):
        points = [(i, 90 if i == 54_321 else i % 7) for i in range(100_000)]
        thinned = drawing.thin(points, 100_000)
        self.assertEqual(len(thinned), 2 * drawing.COLUMNS)
        self.assertIn((54_321, 90), thinned)
        self.assertEqual(thinned, sorted(thinned))


class Report(unittest.TestCase):
    def page(self, lines, **rule):
        rule = Rule(**rule)
        read = recording.read(lines)
        return report.html(read, looking.people(read, rule), rule, "<Lobby> & door")

    def scene(self):
        """Four seconds: person 1 looks in the second, person 2 comes after two seconds and looks throughout."""
        for i in range(40):
            heads = [(1, 0 if 10 <= i < 20 else 50)] + ([(2, 5)] if i >= 20 else [])
            yield line(i / 10, *heads, source_name="a&b")

    def test_tells_the_numbers(self):
        text = re.sub(r"<[^>]*>", " ", self.page(self.scene()).split("<body>")[1])
        text = " ".join(text.split())
        self.assertIn("2 0:02.0 0:02.0 100 % 1 0:02.0 1 0:04.0 0:01.0 25 % 1 0:01.0 All 0:04.0 0:03.0 75 % 2 0:02.0", text)
        self.assertIn("Somebody looked 3.0 s 75 % of the recording", text)
        self.assertIn("0:01.0 to 0:02.0 (1.0 s)", text)

    def test_a_single_frame_makes_a_report(self):
        lines = [line(3.0, (1, 0))]
        self.assertIn("Person 1", self.page(lines, min_visible=0))

    def test_draws_where_it_belongs(self):
        page = self.page(self.scene())
        self.assertIn('<rect class="look" x="250.00" y="10" width="250.00"', page)
        self.assertIn('<rect class="seen" x="500.00" y="40" width="500.00"', page)

    def test_is_whole_well_formed_and_escaped(self):
        for lines in (list(self.scene()), [line(0.0)], [line(0.0), "<b>no line</b>"]):
            page = self.page(lines)
            checker = WellFormed()
            checker.feed(page)
            self.assertEqual(checker.open, [])
            self.assertNotIn("$", page)
            self.assertNotIn("<script", page)
            self.assertNotRegex(page, r"https?://|url\(|@import")
            self.assertIn("&lt;Lobby&gt; &amp; door", page)
            self.assertNotIn("<b>", page)

    def test_says_what_was_left_out(self):
        page = self.page([*self.scene(), "broken", line(4.0, (9, 0), source_name="a&b")])
        self.assertIn("1 line of the recording could not be read", page)
        self.assertIn("1 head in view for less than 1.0 s is left out", page)


class WellFormed(HTMLParser):
    VOID = {"meta", "link", "br"}

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> at {self.getpos()} closes nothing")


if __name__ == "__main__":
    unittest.main()
