"""Charts of cost against size, both axes logarithmic, as SVG."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 210, 36, 52
COLOURS = ("#1f6f8b", "#c8553d", "#588157", "#7b4b94", "#b08900", "#3d405b")


class Axis:
    def __init__(self, values, start, end):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.start, self.end = start, end

    def place(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def decades(self):
        return [10.0 ** n for n in range(self.low, self.high + 1)]


def label(value):
    for unit, name in ((1000000, "M"), (1000, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def text(x, y, content, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(content)}</text>'


def grid(x, y):
    lines = []
    for value in x.decades():
        at = x.place(value)
        lines.append(f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        lines.append(text(at, HEIGHT - BOTTOM + 18, label(value)))
    for value in y.decades():
        at = y.place(value)
        lines.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#ddd"/>')
        lines.append(text(LEFT - 8, at + 4, label(value), "end"))
    return lines


def ends(series, y):
    """Where the names at the right ends of the lines stand: each at its line, none on another."""
    places = sorted((y.place(points[-1][1]), name) for name, points, _, _ in series)
    taken, result = -1e9, {}
    for at, name in places:
        taken = max(at, taken + 15)
        result[name] = taken
    return result


def curve(name, points, colour, dashed, x, y, name_at):
    path = " ".join(f"{x.place(a):.1f},{y.place(b):.1f}" for a, b in points)
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    lines = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>']
    lines += [f'<circle cx="{x.place(a):.1f}" cy="{y.place(b):.1f}" r="3" fill="{colour}"/>' for a, b in points]
    lines.append(text(x.place(points[-1][0]) + 8, name_at + 4, name, "start", f'fill="{colour}"'))
    return lines


def chart(title, x_title, y_title, series):
    """series: (name, [(size, cost)], colour number, dashed); the text of an SVG."""
    series = [(name, [p for p in points if p[1] > 0], colour, dashed) for name, points, colour, dashed in series]
    series = [s for s in series if s[1]]
    x = Axis([p[0] for s in series for p in s[1]], LEFT, WIDTH - RIGHT)
    y = Axis([p[1] for s in series for p in s[1]], HEIGHT - BOTTOM, TOP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             text(LEFT, 20, title, "start", 'font-size="15" font-weight="bold"')]
    lines += grid(x, y)
    places = ends(series, y)
    for name, points, colour, dashed in series:
        lines += curve(name, points, COLOURS[colour % len(COLOURS)], dashed, x, y, places[name])
    lines.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_title))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    lines.append(text(16, middle, y_title, "middle", f'transform="rotate(-90 16 {middle:.0f})"'))
    return "\n".join(lines + ["</svg>"]) + "\n"
