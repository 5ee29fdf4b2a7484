# SPDX-License-Identifier: MPL-2.0
"""The report: one HTML file with inline drawings, without script, that loads nothing."""

import pathlib
from html import escape
from string import Template

import drawing
from drawing import clock, spell
from looking import gap_limit, merge, total

TEMPLATE = pathlib.Path(__file__).with_name("report.html")
# More plots of angles than this would make the report too long; table and timeline include everybody.
DRAWN_PEOPLE = 12


def html(recording, people, rule, title):
    seen = merge(visit for one in people for visit in one.visits)
    watched = merge(look for one in people for look in one.looks)
    sections = []
    if people:
        sections += [table(recording, people, total(seen), total(watched))]
        sections += [timeline(recording, people), angles(recording, people, rule)]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        subtitle=escape(subtitle(recording)),
        warnings=warnings(recording),
        figures="\n".join(figures(recording, people, total(seen), total(watched))),
        sections="\n".join(sections),
        method=method(recording, people, rule),
    )


def subtitle(recording):
    parts = [f"{spell(recording.duration)}, {recording.lines:,} frames"]
    if recording.name:
        parts.insert(0, f"Camera {recording.name}")
    if recording.began:
        parts.append(f"from {str(recording.began).replace('T', ' ').replace('Z', ' UTC')}")
    return " · ".join(parts)


def warnings(recording):
    if not recording.skipped:
        return ""
    return (
        f'<p class="warning" role="note">{count(recording.skipped, "line")} of the recording could not be read '
        f"and {'was' if recording.skipped == 1 else 'were'} left out; the first: {escape(recording.skipped_reason)}</p>"
    )


def figures(recording, people, seen, watched):
    longest = max((one for one in people if one.looks), key=lambda one: one.longest, default=None)
    rows = [
        ("People", f"{len(people)}", f"somebody in view for {spell(seen)}"),
        ("Somebody looked", spell(watched), f"{percent(watched, recording.duration)} of the recording"),
        ("Glances", f"{sum(len(one.looks) for one in people):,}", "at the camera"),
        ("Longest glance", spell(longest.longest if longest else 0), f"person {longest.id}" if longest else "nobody"),
    ]
    for name, value, note in rows:
        yield f"<div><dt>{name}</dt><dd>{value} <small>{note}</small></dd></div>"


def table(recording, people, seen, watched):
    decimals, form = (1, "minutes:seconds") if recording.duration < drawing.HOUR else (0, "hours:minutes:seconds")
    time = lambda span: clock(span, recording.duration, decimals)  # noqa: E731

    def cells(visible, looking, glances, longest):
        texts = (time(visible), time(looking), percent(looking, visible), f"{glances:,}", time(longest))
        return "".join(f"<td>{text}</td>" for text in texts)

    body = "\n".join(
        f'<tr><th scope="row">{one.id}</th>' + cells(one.visible, one.looking, len(one.looks), one.longest) + "</tr>"
        for one in people
    )
    foot = ""
    if len(people) > 1:
        glances, longest = sum(len(one.looks) for one in people), max(one.longest for one in people)
        foot = f'<tfoot><tr><th scope="row">All</th>{cells(seen, watched, glances, longest)}</tr></tfoot>'
    return f"""<h2 id="people">People</h2>
<div class="wide" role="region" aria-labelledby="people" tabindex="0">
<table>
<caption>Those who looked longest come first. Times are {form}.</caption>
<thead><tr><th scope="col">Person</th><th scope="col">In view</th><th scope="col">Looked</th>
<th scope="col">Share</th><th scope="col">Glances</th><th scope="col">Longest</th></tr></thead>
<tbody>
{body}
</tbody>
{foot}
</table>
</div>"""


def timeline(recording, people):
    rows = "\n".join(
        f'<div class="plot"><span class="name" aria-hidden="true">Person {one.id}</span>'
        f"{drawing.presence(one, recording.duration)}</div>"
        for one in people
    )
    return f"""<h2>Timeline</h2>
<figure>
<figcaption>{key("look", "looks at the camera")}{key("seen", "in view, looks elsewhere")}</figcaption>
{rows}
{drawing.time_ticks(recording.duration)}
</figure>"""


def angles(recording, people, rule):
    parts = ["<h2>Where the heads turned</h2>"]
    if len(people) > DRAWN_PEOPLE:
        parts.append(f'<p class="soft">The {DRAWN_PEOPLE} of {len(people)} people who looked longest.</p>')
    parts.append(
        f'<p class="soft">{key("yaw", "yaw, + to the image’s left")}{key("pitch", "pitch, + up")}'
        f'{key("tint", "looks at the camera")}{key("limit", f"±{rule.look_angle:g}°")}</p>'
    )
    for one in people[:DRAWN_PEOPLE]:
        limit = drawing.angle_limit(one, rule)
        parts.append(
            f'<figure>\n<figcaption><h3>Person {one.id}</h3></figcaption>\n<div class="plot">'
            f"{drawing.degree_ticks(limit)}{drawing.poses(one, recording, limit, rule)}</div>\n"
            f"{drawing.time_ticks(recording.duration)}\n{glances(one, recording.duration)}</figure>"
        )
    return "\n".join(parts)


def key(kind, text):
    return f'<span class="entry"><span class="key {kind}"></span>{text}</span> '


def glances(one, duration):
    """The same as text, for readers who cannot see the drawing."""
    if not one.looks:
        return ""
    items = "".join(
        f"<li>{clock(look.start, duration, 1)} to {clock(look.end, duration, 1)} ({spell(look.duration)})</li>"
        for look in one.looks
    )
    return f"<details><summary>{count(len(one.looks), 'glance')} of person {one.id}</summary><ol>{items}</ol></details>\n"


def method(recording, people, rule):
    left_out = len(recording.samples) - len(people)
    more = (
        f" {count(left_out, 'head')} in view for less than {spell(rule.min_visible)} {'is' if left_out == 1 else 'are'} left out."
        if left_out
        else ""
    )
    return f"""<p>A person begins to look at the camera when the face points to within {rule.look_angle:g}° of it, and
goes on until it points more than {rule.away_angle:g}° away from it. A glance lasts at least
{spell(rule.min_duration)}, and looking away for less does not end it. A head that is missing for up to
{spell(gap_limit(recording.frame_time, rule))} counts as in view and as not moving.{more}</p>
<p>This is the direction of the head, not of the eyes: eyes reach some 20° further. A person is a tracked
head; someone who leaves and comes back may be counted as a new person. The report contains only times and angles, no pictures.</p>"""


def count(number, word):
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def percent(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
