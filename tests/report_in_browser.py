# SPDX-License-Identifier: MPL-2.0
"""Opens reports of examples/attention in a headless Chromium and checks their layout.

Usage: report_in_browser.py CHROMIUM FOLDER [poses.jsonl]

FOLDER gets a report of generated heads, and one of the recording if there is one, screenshots of each at
desktop and phone width, in light and dark mode, and a print as PDF.
"""

import base64
import itertools
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples" / "attention"))
import looking
import recording
import report

RULE = looking.Rule()
WIDTHS = {"desk": 1280, "phone": 390}
MIN_CONTRAST = 4.5  # WCAG 2.2, level AA, for text

# The measurements of a laid-out page for the checks below.
MEASURE = r"""
(() => {
  const box = element => { const r = element.getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; };
  const luminance = color => {
    const [r, g, b] = color.match(/[\d.]+/g).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const background = element => {
    const color = getComputedStyle(element).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' ? background(element.parentElement) : color;
  };
  const contrast = element => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(background(element))].sort();
    return (b + .05) / (a + .05);
  };
  const texts = [...document.body.querySelectorAll('*')].filter(
    e => !e.closest('svg') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
  return {
    innerWidth, pageWidth: document.documentElement.scrollWidth,
    tables: [...document.querySelectorAll('.wide')].map(e => [e.scrollWidth, e.clientWidth]),
    cut: texts.filter(e => !e.closest('details') && (box(e)[0] < 0 || box(e)[1] > innerWidth)).map(e => e.textContent),
    faint: texts.filter(e => contrast(e) < %f).map(e => `${contrast(e).toFixed(1)} ${e.textContent}`),
    ticks: [...document.querySelectorAll('.ticks')].map(e => [...e.children].map(box)),
    rows: [...document.querySelectorAll('svg.row')].map(e => [box(e), [...e.querySelectorAll('.look')].map(box)]),
    shades: [...document.querySelectorAll('svg.angles')].map(e => [box(e), [...e.querySelectorAll('.tint')].map(box)]),
  };
})()
""" % MIN_CONTRAST


class Browser:
    """Chromium over the pipes of its DevTools protocol: one JSON object after the other, a NUL between."""

    def __init__(self, program, profile):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # The protocol uses descriptors 3 and 4.
        redirect = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        options = ["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--user-data-dir={profile}", "--no-first-run", "--disable-background-networking"]  # fmt: skip
        self.process = subprocess.Popen(["bash", "-c", redirect, "bash", program, *options],
                                        pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self.input, self.output = os.fdopen(ours_in, "rb", buffering=0), os.fdopen(ours_out, "wb", buffering=0)
        self.rest = b""
        self.events = []
        self.numbers = itertools.count(1)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def receive(self):
        while b"\0" not in self.rest:
            data = self.input.read(1 << 16)
            if not data:
                raise SystemExit("error: the browser ended")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.output.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                raise SystemExit(f"error: {method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def open(self, url):
        """All events until the page was loaded."""
        self.events = []
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        return self.events

    def evaluate(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"error: {answer['exceptionDetails']}")
        return answer["result"]["value"]

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(timeout=30)


def generated_lines(slower=1, copies=1):
    """Three minutes at 12.5 frames a second: people, their turns, and gaps.

    `slower` makes them longer, `copies` is the number of copies of each head.
    """
    around = lambda t, size, period: size * math.sin(2 * math.pi * t / period)  # noqa: E731
    heads = {
        1: lambda t: (around(t, 45, 23), around(t, 8, 7)) if t < 170 else None,
        2: lambda t: (around(t, 12, 9), -5 + around(t, 6, 5)) if 20 < t < 65 or 90 < t < 140 else None,
        3: lambda t: (-70 + around(t, 20, 11), 5) if 50 < t < 120 else None,
        # Turns in full circles, and is lost now and then while seen from behind.
        7: lambda t: ((t * 20 + 180) % 360 - 180, 10.0) if t > 60 and not (8 < t % 18 < 9) else None,
        9: lambda t: (0, 0) if 100 < t < 100.5 else None,
    }
    for number in range(2250):
        time = number / 12.5
        shown = []
        for head, pose in heads.items():
            if (angles := pose(time)) is not None:
                yaw, pitch = angles
                rotation = [1, 0, 0, 0, 1, 0, 0, 0, math.cos(math.radians(yaw)) * math.cos(math.radians(pitch))]
                shown += (
                    {"id": 10 * copy + head, "yaw": yaw, "pitch": pitch, "rotation": rotation} for copy in range(copies)
                )
        if number % 97:
            yield json.dumps({"pts": round(time * slower * 1e9), "source": "inferred", "age": 0, "heads": shown})


def complaints(events, url):
    """Console messages, exceptions, and requests for anything but the page itself."""
    for event in events:
        method, params = event["method"], event.get("params", {})
        if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            yield f"{method}: {json.dumps(params)[:300]}"
        elif method == "Network.requestWillBeSent":
            asked = params["request"]["url"]
            if asked != url and asked != "data:,":
                yield f"asked for {asked}"


def mistakes(page, people, duration):
    if page["pageWidth"] > page["innerWidth"]:
        yield f"the page is {page['pageWidth']} pixels wide"
    for scroll, client in page["tables"]:
        if scroll > client:
            yield f"the table wants {scroll} pixels and has {client}"
    for text in page["cut"]:
        yield f"cut off: {text!r}"
    for text in page["faint"]:
        yield f"too little contrast: {text!r}"
    for ticks in page["ticks"]:
        for a, b in itertools.combinations(ticks, 2):
            if a[1] > b[0] and b[1] > a[0] and a[3] > b[2] and b[3] > a[2]:
                yield f"ticks overlap: {a} {b}"
    for name, drawings, shown in (("timeline", page["rows"], people), ("angles", page["shades"], people[: report.DRAWN_PEOPLE])):
        if len(drawings) != len(shown):
            yield f"{name}: {len(drawings)} drawings of {len(shown)} people"
        for one, ((left, right, _, _), bars) in zip(shown, drawings):
            if len(bars) != len(one.looks):
                yield f"{name} of person {one.id}: {len(bars)} bars of {len(one.looks)} glances"
            for look, bar in zip(one.looks, bars):
                for time, pixel in zip(look, bar):
                    expected = left + (right - left) * time / duration
                    if abs(pixel - expected) > 1.5:
                        yield f"{name} of person {one.id}: {time / 1e9} s is drawn at {pixel}, not at {expected}"


def unnamed_images(browser):
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    images = [node for node in nodes if node.get("role", {}).get("value") == "image"]
    if not images:
        yield "the accessibility tree has no drawing"
    for node in images:
        if not node.get("name", {}).get("value"):
            yield "a drawing has no name"


def save(path, answer):
    path.write_bytes(base64.b64decode(answer["data"]))
    print(f"  {path}")


def check(browser, name, lines, folder):
    poses = recording.read(lines)
    people = looking.people(poses, RULE)
    file = folder / f"{name}.html"
    file.write_text(report.html(poses, people, RULE, f"Attention: {name}"), encoding="utf-8")
    found = []
    for (device, width), scheme in itertools.product(WIDTHS.items(), ("light", "dark")):
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=device == "phone")
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        found += complaints(browser.open(file.as_uri()), file.as_uri())
        found += [f"{device}, {scheme}: {mistake}" for mistake in mistakes(browser.evaluate(MEASURE), people, poses.duration)]
        save(folder / f"{name}-{device}-{scheme}.png", browser.call("Page.captureScreenshot", captureBeyondViewport=True))
    found += unnamed_images(browser)
    save(folder / f"{name}.pdf", browser.call("Page.printToPDF", preferCSSPageSize=True))
    # Events since the last page, because messages may be late.
    found += complaints(browser.events, file.as_uri())
    return [f"{name}: {line}" for line in dict.fromkeys(found)]


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    folder = pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    recordings = {"generated": list(generated_lines()), "long": list(generated_lines(slower=30, copies=4))}
    if len(sys.argv) == 4:
        recordings["recorded"] = pathlib.Path(sys.argv[3]).read_text(encoding="utf-8").splitlines()
    found = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(sys.argv[1], profile)
        try:
            print(browser.evaluate("navigator.userAgent"))
            for name, lines in recordings.items():
                found += check(browser, name, lines, folder)
        finally:
            browser.close()
    if found:
        raise SystemExit("\n".join(["error: the report has faults:", *found]))
    print("Reports in the browser: all checks passed.")


if __name__ == "__main__":
    main()
