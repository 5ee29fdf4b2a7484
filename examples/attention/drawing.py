# SPDX-License-Identifier: MPL-2.0
"""Inline SVG for the report, and the texts of its axes.

The drawings are WIDTH by 100 units without a fixed aspect: the page stretches them, its style keeps
the lines' widths. So they contain no text; ticks are HTML, positioned in percent.
"""

import math
from html import escape

from looking import SECOND, gap_limit, split_visits

WIDTH = 1000
HOUR = 3600 * SECOND
# For a longer recording a line shows the extremes in each of this many columns.
COLUMNS = 500
TIME_STEPS = [SECOND // 1000 * ms for ms in (100, 200, 500)]
TIME_STEPS += [SECOND * s for s in (1, 2, 5, 10, 15, 30)]
TIME_STEPS += [60 * SECOND * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440)]
MAX_TIME_STEPS = 6
DEGREE_STEPS = (10, 15, 30, 45, 90)


def presence(person, duration):
    """A row of the timeline. Looking is a taller bar, so that it is visible without colour."""
    bars = bar_rects("seen", person.visits, duration, 40, 20, "in view")
    bars += bar_rects("look", person.looks, duration, 10, 80, "looks at the camera")
    label = (
        f"Person {person.id}: in view for {spell(person.visible)}, looked at the camera for "
        f"{spell(person.looking)} in {len(person.looks)} glance{'' if len(person.looks) == 1 else 's'}"
    )
    return svg("row", label, bars)


def poses(person, recording, limit, rule):
    """Yaw and pitch over time, with the glances shaded."""
    duration = recording.duration
    y = lambda degrees: 50 - 50 * degrees / limit  # noqa: E731
    parts = bar_rects("tint", person.looks, duration, 0, 100, "looks at the camera")
    parts += [line("grid", y(degrees)) for degrees in degree_steps(limit)]
    parts += [line("limit", y(side * rule.look_angle)) for side in (-1, 1)]
    for visit in split_visits(person.samples, gap_limit(recording.frame_time, rule)):
        for name, column in (("yaw", 2), ("pitch", 3)):
            points = [(sample.time, sample[column]) for sample in visit]
            for piece in unbroken(thin(points, duration)):
                path = " ".join(f"{x(time, duration):.1f},{y(value):.1f}" for time, value in piece)
                parts.append(f'<polyline class="{name}" points="{path}"/>')
    label = f"Yaw and pitch of person {person.id} over time; looking at the camera is shaded"
    return svg("angles", label, parts)


def bar_rects(kind, intervals, duration, top, height, what):
    return [
        f'<rect class="{kind}" x="{x(start, duration):.2f}" y="{top}" width="{x(end - start, duration):.2f}" height="{height}">'
        f"<title>{what}, {clock(start, duration, 1)} to {clock(end, duration, 1)} ({spell(end - start)})</title></rect>"
        for start, end in intervals
    ]


def line(kind, y):
    return f'<line class="{kind}" x1="0" x2="{WIDTH}" y1="{y:.2f}" y2="{y:.2f}"/>'


def svg(kind, label, parts):
    return (
        f'<svg class="{kind}" role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} 100" preserveAspectRatio="none">'
        + "".join(parts)
        + "</svg>"
    )


def x(time, duration):
    return WIDTH * time / duration


def thin(points, duration):
    """At most two points per column: the smallest and the largest, in their order."""
    columns = {}
    for point in points:
        columns.setdefault(point[0] * COLUMNS // duration, []).append(point)
    thinned = []
    for column in columns.values():
        extremes = {min(column, key=lambda point: point[1]), max(column, key=lambda point: point[1])}
        thinned += sorted(extremes)
    return thinned


def unbroken(points):
    """Cut where an angle passes from +180 to -180 degrees."""
    pieces = []
    for point in points:
        if pieces and abs(point[1] - pieces[-1][-1][1]) <= 180:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces


def angle_limit(person, rule):
    """Half of the angle axis: all values fit, and the jitter of a still head is not magnified."""
    largest = max(max(abs(sample.yaw), abs(sample.pitch)) for sample in person.samples)
    return min(180, max(30, 15 * math.ceil(max(largest, rule.look_angle + 3) / 15)))


def degree_steps(limit):
    step = next(step for step in DEGREE_STEPS if limit <= 3 * step)
    return range(-(limit // step) * step, limit + 1, step)


def degree_ticks(limit):
    spans = "".join(
        f'<span style="top:{50 - 50 * degrees / limit:.2f}%">{f"{degrees:+d}".replace("-", "−") if degrees else "0"}°</span>'
        for degrees in degree_steps(limit)
    )
    return f'<div class="ticks degrees" aria-hidden="true">{spans}</div>'


def time_ticks(duration):
    step = next((step for step in TIME_STEPS if duration <= MAX_TIME_STEPS * step), None)
    if step is None:  # weeks: whole days
        step = 86400 * SECOND * math.ceil(duration / (MAX_TIME_STEPS * 86400 * SECOND))
    spans = "".join(
        f'<span style="left:{100 * time / duration:.2f}%">{tick(time, step, duration)}</span>'
        for time in range(0, duration + 1, step)
    )
    return f'<div class="plot" aria-hidden="true"><div class="ticks time">{spans}</div></div>'


def tick(time, step, duration):
    if duration < HOUR:
        return clock(time, duration, 0 if step >= SECOND else 1)
    minutes = time // (60 * SECOND)
    return f"{minutes // 60}h{minutes % 60:02}" if minutes else "0"


def clock(time, duration, decimals):
    """A position in a recording of this duration, as m:ss or h:mm:ss."""
    units = 10**decimals
    count = round(time * units / SECOND)
    minutes, seconds = divmod(count, 60 * units)
    text = f"{seconds / units:0{decimals + 3 if decimals else 2}.{decimals}f}"
    if duration < HOUR:
        return f"{minutes}:{text}"
    return f"{minutes // 60}:{minutes % 60:02}:{text}"


def spell(duration):
    """A duration as text; rounded first, so that 59.97 s is a minute."""
    tenths = round(duration * 10 / SECOND)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    seconds = round(duration / SECOND)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    minutes = round(duration / (60 * SECOND))
    return f"{minutes // 60} h {minutes % 60:02} min"
