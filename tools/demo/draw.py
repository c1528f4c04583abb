#!/usr/bin/env python3
"""Draw the pictures of the demo shop: forty pieces of jewellery and thirty portraits.

    python tools/demo/draw.py            writes tools/demo/images/*.webp, the same bytes each time

No photograph of a person is used anywhere. A piece is named after its file: `PIECES` says which
shape, which variant of it and which materials; `FACES` does the same for the portraits.
Pillow only. The results are committed, so that the loader does not have to draw.
"""
import itertools
import math
import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).resolve().parent if "__file__" in globals() else Path.cwd()
SIZE = 1600         # drawn at twice the size, then reduced: smooth edges
OUT = 800
LIMIT = 25_000      # bytes a picture may have

# Stops of a gradient across the piece: (place from 0 to 1, colour).
METAL = {
    "brass": [(0, "#66502a"), (.16, "#9a8048"), (.34, "#dcca94"), (.46, "#c2a967"),
              (.66, "#8f743c"), (.86, "#cdb679"), (1, "#64502a")],
    "gold": [(0, "#9a6410"), (.16, "#dca12c"), (.34, "#fff1b4"), (.46, "#f6ca5a"),
             (.66, "#cc8e1e"), (.86, "#ffdf86"), (1, "#96610f")],
}
STREAKED = {
    "horn": ["#17110d", "#33241a", "#6b4a2e", "#b48a58", "#2a1d15"],
    "bone": ["#e9dfca", "#f6efe0", "#efe5d0", "#dccdb0", "#f8f3e8"],
    "wood": ["#6e3f20", "#8d5630", "#a56c41", "#7b4826", "#5d341a"],
    "olive": ["#a97f4b", "#c79d63", "#8a6235", "#d9b57d", "#b88d55"],
}
GROUND = {
    "brass": ("#efe7dc", "#ddd0bf"), "gold": ("#e9d5c8", "#d3b5a3"),
    "horn": ("#dfe2d6", "#c6ccba"), "bone": ("#c9d2d3", "#a9b6b8"),
    "wood": ("#f0e2d9", "#dfc9bb"), "olive": ("#dfe3dd", "#c5cdc4"),
}


def rgb(colour):
    """'#rrggbb' as a triple."""
    return tuple(int(colour[i:i + 2], 16) for i in (1, 3, 5))


def ramp(stops):
    """A table of 256 colours through the stops [(place, '#rrggbb')]."""
    table = []
    for i in range(256):
        at = i / 255
        for (p0, c0), (p1, c1) in itertools.pairwise(stops):
            if at <= p1:
                share = (at - p0) / (p1 - p0)
                table.append(tuple(
                    round(a + (b - a) * share) for a, b in zip(rgb(c0), rgb(c1), strict=True)))
                break
    return table


def coloured(grey, stops):
    """The grey picture with each level replaced by the colour at that place."""
    table = ramp(stops)
    return Image.merge("RGB", [grey.point([c[i] for c in table]) for i in range(3)])


def gradient(size, stops, angle=0):
    """A linear gradient over `size`; angle 0 runs from left to right, in degrees."""
    side = max(size) * 2
    grey = Image.linear_gradient("L").rotate(90).resize((side, side)).rotate(angle)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    # the middle half of the picture is used, so stretch it over the whole range of levels
    grey = grey.crop((left, top, left + size[0], top + size[1]))
    low, high = grey.getextrema()
    return coloured(grey.point([
        min(255, max(0, round((v - low) * 255 / max(high - low, 1)))) for v in range(256)
    ]), stops)


def streaks(size, colours, seed, angle):
    """Grain of horn, bone and wood: smoothed noise drawn out along one direction."""
    rng = random.Random(seed)
    across, along = 46, 5
    grain = Image.frombytes("L", (along, across), rng.randbytes(along * across))
    side = int(math.hypot(*size)) + 8
    grain = grain.resize((side, side), Image.BICUBIC).rotate(angle, Image.BICUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    stops = [(i / (len(colours) - 1), c) for i, c in enumerate(colours)]
    return coloured(grain.crop((left, top, left + size[0], top + size[1])), stops)


def moved(mask, right, down):
    """The mask shifted, empty where it came from."""
    result = Image.new("L", mask.size, 0)
    result.paste(mask, (right, down))
    return result


class Canvas:
    """A square picture on which parts are laid from back to front."""

    def __init__(self, ground, seed=0):
        light, dark = ground
        glow = ImageChops.invert(Image.radial_gradient("L")).resize((SIZE * 2, SIZE * 2))
        glow = glow.crop((SIZE // 2, SIZE // 3, SIZE // 2 + SIZE, SIZE // 3 + SIZE))
        self.image = coloured(glow, [(0, dark), (.35, dark), (.9, light), (1, light)])
        self.seed = seed

    def mask(self):
        mask = Image.new("L", (SIZE, SIZE), 0)
        return mask, ImageDraw.Draw(mask)

    def texture(self, material, box, angle):
        size = (box[2] - box[0], box[3] - box[1])
        if material in METAL:
            return gradient(size, METAL[material], angle)
        self.seed += 1
        return streaks(size, STREAKED[material], self.seed, angle + 8)

    def lay(self, mask, material, angle=0, depth=14, shadow=True, dim=0):
        """Put a part of `material` where the mask is: shadow, surface, lit and shaded edge."""
        box = mask.getbbox()
        if shadow:
            self._shadow(mask)
        surface = Image.new("RGB", (SIZE, SIZE))
        surface.paste(self.texture(material, box, angle), box)
        if dim:
            surface = surface.point(lambda v: int(v * (1 - dim)))
        soft = ImageFilter.GaussianBlur(depth / 2)
        lit = ImageChops.subtract(mask, moved(mask, depth, depth)).filter(soft)
        shade = ImageChops.subtract(mask, moved(mask, -depth, -depth)).filter(soft)
        white = Image.new("RGB", (SIZE, SIZE), "#fffaf0")
        black = Image.new("RGB", (SIZE, SIZE), "#1d1206")
        surface.paste(white, mask=lit.point(lambda v: int(v * .55)))
        surface.paste(black, mask=shade.point(lambda v: int(v * .5)))
        self.image.paste(surface, mask=mask)

    def _shadow(self, mask):
        dark = Image.new("RGB", (SIZE, SIZE), "#3a2a1c")
        far = moved(mask, 18, 46).filter(ImageFilter.GaussianBlur(34))
        near = moved(mask, 6, 12).filter(ImageFilter.GaussianBlur(9))
        self.image.paste(dark, mask=far.point(lambda v: int(v * .34)))
        self.image.paste(dark, mask=near.point(lambda v: int(v * .25)))

    def ink(self, mask, colour, strength=1.0):
        self.image.paste(Image.new("RGB", (SIZE, SIZE), colour),
                         mask=mask.point(lambda v: int(v * strength)))

    def save(self, path):
        picture = self.image.resize((OUT, OUT), Image.LANCZOS)
        for quality in (88, 82, 76, 70, 60, 50):
            picture.save(path, "WEBP", quality=quality, method=6)
            if path.stat().st_size <= LIMIT:
                return
        raise ValueError(f"{path} stays above {LIMIT} bytes")


def arc(cx, cy, rx, ry, start, end, steps=120):
    """Points of an ellipse from angle `start` to `end` in degrees, clockwise, 0 = right."""
    return [(cx + rx * math.cos(math.radians(a)), cy + ry * math.sin(math.radians(a)))
            for a in (start + (end - start) * i / steps for i in range(steps + 1))]


def stroke(draw, points, width, fill=255):
    """A line with round joints and ends."""
    draw.line(points, fill=fill, width=width, joint="curve")
    for x, y in (points[0], points[-1]):
        disc(draw, x, y, width / 2 - 1, fill)


def disc(draw, x, y, r, fill=255):
    draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


# ---------------------------------------------------------------- shapes
def cuff(canvas, material, variant="plain", second=None):
    """An open cuff seen from above: its inside behind, its outside in front."""
    cx, top, rx, ry, wall = 800, 640, 500, 210, 330
    mask, draw = canvas.mask()                       # the inside, with the opening at the back
    for start, end in ((180, 250), (290, 360)):
        draw.polygon(arc(cx, top, rx, ry, start, end)
                     + arc(cx, top + wall * .8, rx, ry, end, start), fill=255)
    hole, inside = canvas.mask()
    inside.ellipse((cx - rx, top - ry, cx + rx, top + ry), fill=255)
    canvas.lay(ImageChops.multiply(mask, hole), material, depth=10, shadow=False, dim=.42)
    front, draw = canvas.mask()
    draw.polygon(arc(cx, top, rx, ry, 180, 0) + arc(cx, top + wall, rx, ry, 0, 180), fill=255)
    draw.polygon(arc(cx, top + wall, rx, ry, 0, 180), fill=255)
    outer, draw = canvas.mask()
    draw.polygon(arc(cx, top, rx, ry, 0, 180) + arc(cx, top + wall, rx, ry, 180, 0), fill=255)
    canvas.lay(outer, material, depth=12)
    CUFFS[variant](canvas, outer, (cx, top, rx, ry, wall), material, second)


def cuff_plain(canvas, outer, where, material, second):
    """Nothing on it."""


def cuff_ridged(canvas, outer, where, material, second):
    cx, top, rx, ry, wall = where
    for share in (.2, .35, .5, .65, .8):
        mask, draw = canvas.mask()
        stroke(draw, arc(cx, top + wall * share, rx, ry, 4, 176), 26)
        canvas.lay(ImageChops.multiply(mask, outer), material, depth=9, shadow=False)


def cuff_hammered(canvas, outer, where, material, second):
    cx, top, rx, ry, wall = where
    rng = random.Random(7)
    for _ in range(230):
        angle, share = rng.uniform(5, 175), rng.uniform(.06, .94)
        x = cx + rx * math.cos(math.radians(angle))
        y = top + wall * share + ry * math.sin(math.radians(angle))
        r = rng.uniform(13, 27) * (.35 + .65 * math.sin(math.radians(angle)))
        mask, draw = canvas.mask()
        disc(draw, x, y, r)
        mask = ImageChops.multiply(mask, outer)
        canvas.ink(moved(mask, 3, 3), "#fff6dc", .32)
        canvas.ink(mask, "#5a3d12", .2)


def cuff_inlay(canvas, outer, where, material, second):
    cx, top, rx, ry, wall = where
    mask, draw = canvas.mask()
    draw.polygon(arc(cx, top + wall * .27, rx, ry, 12, 168)
                 + arc(cx, top + wall * .73, rx, ry, 168, 12), fill=255)
    canvas.lay(ImageChops.multiply(mask, outer), second, depth=10, shadow=False)


def cuff_etched(canvas, outer, where, material, second):
    cx, top, rx, ry, wall = where
    mask, draw = canvas.mask()
    for i, angle in enumerate(range(8, 174, 6)):
        x0 = cx + rx * math.cos(math.radians(angle))
        y0 = top + ry * math.sin(math.radians(angle))
        x1 = cx + rx * math.cos(math.radians(angle + 6))
        y1 = top + ry * math.sin(math.radians(angle + 6))
        low, high = wall * .3, wall * .7
        first, last = (low, high) if i % 2 else (high, low)
        draw.line([(x0, y0 + first), (x1, y1 + last)], fill=255, width=9)
    for share in (.18, .82):
        draw.line(arc(cx, top + wall * share, rx, ry, 4, 176), fill=255, width=8)
    canvas.ink(moved(mask, 4, 4), "#fff3d0", .5)
    canvas.ink(mask, "#4a3310", .75)


def cuff_open(canvas, outer, where, material, second):
    cx, top, rx, ry, wall = where
    for share in (.33, .67):
        mask, draw = canvas.mask()
        draw.polygon(arc(cx, top + wall * (share - .1), rx, ry, 22, 158)
                     + arc(cx, top + wall * (share + .1), rx, ry, 158, 22), fill=255)
        canvas.lay(ImageChops.multiply(mask, outer), material, depth=8, shadow=False, dim=.55)


CUFFS = {"plain": cuff_plain, "ridged": cuff_ridged, "hammered": cuff_hammered,
         "inlay": cuff_inlay, "etched": cuff_etched, "open": cuff_open}


def hoop(canvas, cx, cy, rx, ry, width, material, angle=0):
    """One closed round of wire or carved material."""
    mask, draw = canvas.mask()
    half = width / 2
    draw.ellipse((cx - rx - half, cy - ry - half, cx + rx + half, cy + ry + half), fill=255)
    draw.ellipse((cx - rx + half, cy - ry + half, cx + rx - half, cy + ry - half), fill=0)
    canvas.lay(mask, material, angle=angle, depth=max(6, width // 4))


def bangle(canvas, material, variant="one", second=None):
    count = {"one": 1, "three": 3, "wide": 1}[variant]
    width = {"one": 62, "three": 46, "wide": 150}[variant]
    for i in range(count):
        tilt = (i - (count - 1) / 2)
        hoop(canvas, 800 + tilt * 70, 810 - tilt * 130, 500 - abs(tilt) * 12, 330, width,
             second if second and i == 1 else material)


def ring(canvas, material, variant="dot", second=None):
    """A finger ring, standing, a little turned."""
    if variant == "stack":
        for i in range(3):
            hoop(canvas, 800, 1010 - i * 190, 350, 205, 58, material)
        return
    cx, cy, r = 800, 930, 350
    hoop(canvas, cx, cy, r, r, 82 if variant != "band" else 170, material)
    RINGS[variant](canvas, cx, cy - r, material, second)


def ring_dot(canvas, x, y, material, second):
    for r, part in ((165, material), (118, second)):
        if part:
            mask, draw = canvas.mask()
            disc(draw, x, y - 20, r)
            canvas.lay(mask, part, angle=40, depth=20)


def ring_bar(canvas, x, y, material, second):
    mask, draw = canvas.mask()
    draw.rounded_rectangle((x - 300, y - 70, x + 300, y + 50), 58, fill=255)
    canvas.lay(mask, material, angle=12, depth=18)


def ring_signet(canvas, x, y, material, second):
    mask, draw = canvas.mask()
    draw.rounded_rectangle((x - 190, y - 190, x + 190, y + 110), 90, fill=255)
    canvas.lay(mask, material, angle=20, depth=24)
    mask, draw = canvas.mask()
    draw.rounded_rectangle((x - 132, y - 138, x + 132, y + 58), 60, fill=255)
    canvas.lay(mask, second, angle=30, depth=14, shadow=False)


def ring_band(canvas, x, y, material, second):
    """Nothing on it."""


RINGS = {"dot": ring_dot, "bar": ring_bar, "signet": ring_signet, "band": ring_band}


def earrings(canvas, material, variant="fan", second=None):
    for cx in (510, 1090):
        EARRINGS[variant](canvas, cx, material, second)


def hook(canvas, x, y, material):
    """The ear wire above a drop, ending at (x, y)."""
    mask, draw = canvas.mask()
    stroke(draw, arc(x + 62, y - 150, 62, 92, 180, 372) , 18)
    stroke(draw, [(x, y - 150), (x, y)], 18)
    canvas.lay(mask, material, depth=5)


def earring_fan(canvas, x, material, second):
    hook(canvas, x, 640, material)
    mask, draw = canvas.mask()
    draw.pieslice((x - 300, 300, x + 300, 1180), 48, 132, fill=255)
    canvas.lay(mask, material, depth=16)
    ribs, draw = canvas.mask()
    for angle in range(54, 132, 9):
        draw.line([(x, 740), (x + 300 * math.cos(math.radians(angle)),
                              740 + 440 * math.sin(math.radians(angle)))], fill=255, width=8)
    ribs = ImageChops.multiply(ribs, mask)
    canvas.ink(moved(ribs, 4, 3), "#fff3d0", .5)
    canvas.ink(ribs, "#4a3310", .6)
    mask, draw = canvas.mask()
    disc(draw, x, 690, 62)
    canvas.lay(mask, material, angle=40, depth=14)


def earring_hoop(canvas, x, material, second):
    mask, draw = canvas.mask()
    stroke(draw, arc(x, 850, 225, 285, -78, 262), 54)
    canvas.lay(mask, material, depth=16)
    mask, draw = canvas.mask()
    stroke(draw, [(x + 46, 572), (x - 30, 560)], 20)
    canvas.lay(mask, material, depth=5)


def earring_drop(canvas, x, material, second):
    hook(canvas, x, 620, second)
    mask, draw = canvas.mask()
    draw.polygon([(x, 600), (x - 40, 680)] + arc(x, 990, 150, 190, 200, -20) + [(x + 40, 680)],
                 fill=255)
    disc(draw, x, 620, 36)
    canvas.lay(mask.filter(ImageFilter.GaussianBlur(12)).point(lambda v: 255 if v > 127 else 0)
               .filter(ImageFilter.GaussianBlur(1)), material, angle=70, depth=26)


def earring_disc(canvas, x, material, second):
    hook(canvas, x, 610, second)
    mask, draw = canvas.mask()
    disc(draw, x, 860, 250)
    canvas.lay(mask, material, angle=60, depth=22)
    mask, draw = canvas.mask()
    disc(draw, x, 860, 92)
    canvas.lay(mask, second, angle=40, depth=14)


def earring_moon(canvas, x, material, second):
    mask, draw = canvas.mask()
    draw.chord((x - 235, 570, x + 235, 1040), 0, 180, fill=255)
    canvas.lay(mask, material, angle=20, depth=20)
    mask, draw = canvas.mask()
    disc(draw, x, 720, 56)
    canvas.lay(mask, material, angle=40, depth=14)


EARRINGS = {"fan": earring_fan, "hoop": earring_hoop, "drop": earring_drop,
            "disc": earring_disc, "moon": earring_moon}


def hang(low=980):
    """The line a chain hangs in, as points at equal distances along it."""
    fine = []
    for i in range(2001):
        share = i / 2000
        fine.append((240 + 1120 * share, 150 + (low - 150) * (1 - abs(2 * share - 1) ** 2.3)))
    return even(fine)


def even(points, count=400):
    """`count` + 1 points at equal distances along the line through `points`."""
    run = [0]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        run.append(run[-1] + math.hypot(x1 - x0, y1 - y0))
    result, at = [], 0
    for i in range(count + 1):
        while at < len(run) - 1 and run[at] < run[-1] * i / count:
            at += 1
        result.append(points[at])
    return result


def chain(canvas, material, points, links=64, width=13):
    for odd in (0, 1):
        mask, draw = canvas.mask()
        for i in range(odd, links, 2):
            first = points[(len(points) - 1) * i // links]
            last = points[min(len(points) - 1, int((len(points) - 1) * (i + 1.25) / links))]
            stroke(draw, [first, last], width + (6 if odd else 0))
        canvas.lay(mask, material, depth=5)


def necklace(canvas, material, variant="crescent", second=None):
    NECKLACES[variant](canvas, material, second)


def necklace_crescent(canvas, material, second):
    for side in (-1, 1):        # from the neck to the horns of the crescent
        chain(canvas, material, even([
            (800 + side * (560 - 250 * i / 200), 150 + 670 * (i / 200) ** .86)
            for i in range(201)]), links=34)
    mask, draw = canvas.mask()
    disc(draw, 800, 930, 330)
    cut, draw = canvas.mask()
    disc(draw, 800, 800, 310)
    canvas.lay(ImageChops.subtract(mask, cut), material, depth=18)


def necklace_collar(canvas, material, second):
    for low, width in ((760, 24), (930, 28), (1100, 32)):
        chain(canvas, material, hang(low), links=44, width=width)


def necklace_tip(canvas, material, second):
    chain(canvas, second, hang(760))
    mask, draw = canvas.mask()
    draw.polygon(arc(1010, 760, 330, 560, 180, 112) + arc(860, 700, 60, 560, 90, 180), fill=255)
    canvas.lay(mask, material, angle=80, depth=24)
    mask, draw = canvas.mask()
    draw.rounded_rectangle((672, 690, 816, 800), 30, fill=255)
    canvas.lay(mask, second, depth=14)


def necklace_beads(canvas, material, second):
    count, points = 29, hang(1080)
    for i in range(count):
        x, y = points[(len(points) - 1) * i // (count - 1)]
        r = 32 + 28 * (1 - abs(2 * i / (count - 1) - 1))
        mask, draw = canvas.mask()
        disc(draw, x, y, r)
        canvas.lay(mask, second if second and i % 4 == 2 else material,
                   angle=(i * 37) % 90, depth=int(r / 2.6))


def necklace_bar(canvas, material, second):
    chain(canvas, material, hang(800))
    mask, draw = canvas.mask()
    draw.rounded_rectangle((760, 790, 840, 1270), 40, fill=255)
    canvas.lay(mask, material, angle=8, depth=18)


NECKLACES = {"crescent": necklace_crescent, "collar": necklace_collar, "tip": necklace_tip,
             "beads": necklace_beads, "bar": necklace_bar}

# file name: (shape, material, variant, second material)
PIECES = {
    "cuff-savanna-raw": (cuff, "brass", "ridged", None),
    "cuff-savanna-gold": (cuff, "gold", "ridged", None),
    "cuff-mara-raw": (cuff, "brass", "etched", None),
    "cuff-mara-gold": (cuff, "gold", "etched", None),
    "cuff-dune-raw": (cuff, "brass", "hammered", None),
    "cuff-dune-gold": (cuff, "gold", "hammered", None),
    "cuff-window": (cuff, "brass", "open", None),
    "cuff-horn-inlay": (cuff, "brass", "inlay", "horn"),
    "cuff-bone-inlay": (cuff, "horn", "inlay", "bone"),
    "cuff-olive": (cuff, "olive", "plain", None),
    "ring-dot-raw": (ring, "brass", "dot", None),
    "ring-dot-gold": (ring, "gold", "dot", None),
    "ring-bar-raw": (ring, "brass", "bar", None),
    "ring-bar-gold": (ring, "gold", "bar", None),
    "ring-signet-horn": (ring, "brass", "signet", "horn"),
    "ring-dome-bone": (ring, "brass", "dot", "bone"),
    "ring-stack": (ring, "brass", "stack", None),
    "ring-band-olive": (ring, "olive", "band", None),
    "earrings-fan-raw": (earrings, "brass", "fan", None),
    "earrings-fan-gold": (earrings, "gold", "fan", None),
    "earrings-hoop-raw": (earrings, "brass", "hoop", None),
    "earrings-hoop-gold": (earrings, "gold", "hoop", None),
    "earrings-drop-horn": (earrings, "horn", "drop", "brass"),
    "earrings-drop-bone": (earrings, "bone", "drop", "brass"),
    "earrings-disc-wood": (earrings, "wood", "disc", "brass"),
    "earrings-moon": (earrings, "brass", "moon", None),
    "necklace-crescent-raw": (necklace, "brass", "crescent", None),
    "necklace-crescent-gold": (necklace, "gold", "crescent", None),
    "necklace-collar-raw": (necklace, "brass", "collar", None),
    "necklace-collar-gold": (necklace, "gold", "collar", None),
    "necklace-horn-tip": (necklace, "horn", "tip", "brass"),
    "necklace-bone-beads": (necklace, "bone", "beads", "brass"),
    "necklace-wood-beads": (necklace, "wood", "beads", "olive"),
    "necklace-bar": (necklace, "brass", "bar", None),
    "bangle-slim-raw": (bangle, "brass", "one", None),
    "bangle-slim-gold": (bangle, "gold", "one", None),
    "bangle-trio": (bangle, "brass", "three", "horn"),
    "bangle-horn": (bangle, "horn", "wide", None),
    "bangle-bone": (bangle, "bone", "wide", None),
    "bangle-wood": (bangle, "wood", "wide", None),
}


# ---------------------------------------------------------------- portraits
SKIN = ["#5b3a29", "#6f4730", "#4a2e20", "#7d5237", "#3f2719", "#664128"]
WALL = [("#e9c46a", "#dfb352"), ("#a8c3b4", "#8fb09f"), ("#e3a587", "#d48d6d"),
        ("#b7c4d9", "#9fb0ca"), ("#d9b8c4", "#c99fae"), ("#cfd2b2", "#b9bd96")]
CLOTH = [("#9c3d2e", "#f0d9b5"), ("#1f4e5f", "#e7b75f"), ("#5b2a4a", "#e8a0a0"),
         ("#2f5d3a", "#f2e2b8"), ("#c26a2e", "#3b2314"), ("#283a6b", "#d9e2ef"),
         ("#7a1f33", "#f0c37b"), ("#3c3c3c", "#c9b28a")]
INK = "#1c120c"
# One portrait a letter: w = headwrap, a = afro, b = bun, r = rows, c = cropped, k = cap,
# g = grey crop
FACES = "wcabwrckgwbcawrcbkwcagwcrbcwak"


def pattern(mask, draw_on, colours, rng):
    """Cloth with a simple printed pattern, inside the mask."""
    base, accent = colours
    cloth = Image.new("RGB", (SIZE, SIZE), base)
    draw = ImageDraw.Draw(cloth)
    step, kind = rng.choice((90, 110, 130)), rng.choice(["dots", "bars", "rhombs"])
    for row, y in enumerate(range(0, SIZE + step, step)):
        for x in range(-step, SIZE + step, step):
            x += step // 2 if row % 2 else 0
            if kind == "dots":
                disc(draw, x, y, step * .2, accent)
            elif kind == "bars":
                draw.line([(x, y), (x + step * .5, y + step * .5)], fill=accent, width=16)
            else:
                draw.polygon([(x, y - step * .3), (x + step * .2, y), (x, y + step * .3),
                              (x - step * .2, y)], fill=accent)
    draw_on.paste(cloth, mask=mask)


def portrait(number, kind):
    """A bust: wall, hair behind, shoulders, neck, head, hair, a calm face."""
    rng = random.Random(number)
    canvas = Canvas(WALL[number % len(WALL)], number)
    skin, cloth = SKIN[number % len(SKIN)], CLOTH[number % len(CLOTH)]
    dark = tuple(int(v * .78) for v in rgb(skin))
    hair = "#8d8883" if kind == "g" else INK
    hair_behind(canvas, kind, hair)
    mask, draw = canvas.mask()
    draw.rounded_rectangle((250, 1240, 1350, 2200), 380, fill=255)
    pattern(mask, canvas.image, cloth, rng)
    fill(canvas, dark, lambda d: d.rounded_rectangle((670, 1020, 930, 1400), 120, fill=255))
    fill(canvas, skin, lambda d: d.chord((640, 1150, 960, 1410), 0, 180, fill=255))
    fill(canvas, skin, lambda d: [disc(d, x, 790, 62) for x in (505, 1095)])
    fill(canvas, skin, lambda d: d.rounded_rectangle((510, 460, 1090, 1170), 285, fill=255))
    face(canvas, skin, kind, rng)
    hair_front(canvas, kind, hair, cloth, rng)
    return canvas


def fill(canvas, colour, shape):
    mask, draw = canvas.mask()
    shape(draw)
    canvas.ink(mask, colour)


def face(canvas, skin, kind, rng):
    dark = tuple(int(v * .5) for v in rgb(skin))
    blush = tuple(min(255, int(v * 1.25)) for v in rgb(skin))
    fill(canvas, blush, lambda d: [disc(d, x, 930, 56) for x in (630, 970)])
    for x in (672, 928):
        fill(canvas, dark, lambda d, x=x: stroke(d, arc(x, 790, 48, 34, 20, 160), 14))
        fill(canvas, dark, lambda d, x=x: stroke(d, arc(x, 730, 66, 42, 215, 325), 16))
    fill(canvas, dark, lambda d: stroke(d, arc(800, 900, 36, 30, 30, 150), 13))
    fill(canvas, "#7c3b34", lambda d: d.chord((700, 950, 900, 1070), 12, 168, fill=255))
    if kind in "wabr":
        metal = rng.choice(("#d7a83f", "#b88a3a", "#e8dcc3"))
        fill(canvas, metal, lambda d: [disc(d, x, 900, 36) for x in (492, 1108)])


def hair_behind(canvas, kind, hair):
    shapes = {
        "a": lambda d: disc(d, 800, 660, 480),
        "b": lambda d: disc(d, 800, 330, 190),
        "r": lambda d: d.rounded_rectangle((430, 420, 1170, 1330), 330, fill=255),
    }
    if kind in shapes:
        fill(canvas, hair, shapes[kind])


def hair_front(canvas, kind, hair, cloth, rng):
    if kind in "wk":
        mask, draw = canvas.mask()
        if kind == "w":
            draw.pieslice((440, 240, 1160, 1010), 184, 356, fill=255)
            draw.ellipse((560, 130, 1060, 520), fill=255)
        else:
            draw.chord((490, 330, 1110, 950), 186, 354, fill=255)
        pattern(mask, canvas.image, CLOTH[(CLOTH.index(cloth) + 3) % len(CLOTH)], rng)
        fill(canvas, INK if kind == "k" else cloth[1],
             lambda d: stroke(d, arc(800, 700, 300, 130, 195, 345), 40 if kind == "k" else 26))
        return
    height = {"a": 640, "b": 660, "r": 650, "c": 610, "g": 610}[kind]
    fill(canvas, hair, lambda d: d.chord((505, 400, 1095, height + 320), 190, 350, fill=255))
    if kind == "r":
        light = "#3a2a20"
        for x in range(600, 1001, 80):
            fill(canvas, light, lambda d, x=x: d.line(
                [(800 + (x - 800) * .5, 430), (x, 620)], fill=255, width=10))


def logo(path, ink="#23323b"):
    """The word mark: four letters, the second one an open bangle; `ink` is for the other three."""
    width, height = 1040, 280
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    font, brass = ImageFont.load_default(250), "#c48a4a"
    for letter, x in (("S", 110), ("K", 610)):
        draw.text((x, height // 2), letter, font=font, fill=ink, anchor="mm")
    for x, colour in ((355, brass), (860, ink)):
        box = (x - 98, height // 2 - 98, x + 98, height // 2 + 98)
        draw.arc(box, -60, 240, fill=colour, width=25)
        if colour == ink:
            draw.arc(box, 0, 360, fill=colour, width=25)
    picture.resize((width // 2, height // 2), Image.LANCZOS).save(path, optimize=True)


def main():
    folder = HERE / "images"
    folder.mkdir(exist_ok=True)
    for number, (name, (shape, material, variant, second)) in enumerate(PIECES.items()):
        canvas = Canvas(GROUND[material], number * 100)
        shape(canvas, material, variant, second)
        canvas.save(folder / f"{name}.webp")
    logo(folder / "logo.png")
    logo(folder / "logo-light.png", ink="#f3efe6")
    for number, kind in enumerate(FACES, 1):
        portrait(number, kind).save(folder / f"artisan-{number:02}.webp")


if __name__ == "__main__":
    main()
