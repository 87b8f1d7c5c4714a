"""The cars that `render` photographs: closed meshes of five bodies, with what is painted on them.

A body is lofted from cross-sections along its length; wheels, mirrors, rack and aerial are added. Glass, lamps and shut
lines lie in an atlas of materials: charts of the sides, the top, the front, the rear and a wheel, in metres.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

TEXELS = 128  # of the atlas, for each meter


@dataclass(frozen=True)
class Body:
    """A body's shape. Metres; `top`, `axles`, `pillars` and `glass` in shares of the length, counted from the front."""

    length: float
    width: float
    height: float
    sill: float  # clear of the floor
    tyre: float  # radius
    belt: tuple[float, float]  # lower edge of the windows, front and rear
    top: tuple[tuple[float, float], ...]  # the outline of bonnet, roof and boot; heights in shares of `height`
    axles: tuple[float, float]
    pillars: tuple[float, ...]  # the first and last end the side windows, the others divide them
    glass: tuple[float, float, float, float]  # windscreen from, to; rear window from, to


BODIES = {
    "saloon": Body(
        4.75, 1.82, 1.46, 0.20, 0.325, (0.93, 0.99),
        ((0, 0.52), (0.02, 0.565), (0.10, 0.615), (0.265, 0.69), (0.42, 0.955), (0.53, 1), (0.66, 0.985), (0.74, 0.94), (0.87, 0.755), (0.985, 0.725), (1, 0.66)),
        (0.19, 0.785), (0.29, 0.53, 0.71, 0.80), (0.275, 0.415, 0.735, 0.865),
    ),
    "estate": Body(
        4.75, 1.82, 1.50, 0.21, 0.33, (0.94, 1.01),
        ((0, 0.515), (0.02, 0.56), (0.10, 0.605), (0.265, 0.68), (0.42, 0.94), (0.53, 0.99), (0.72, 1), (0.88, 0.955), (0.91, 0.93), (0.985, 0.66), (1, 0.60)),
        (0.19, 0.785), (0.29, 0.53, 0.71, 0.90), (0.275, 0.415, 0.915, 0.977),
    ),
    "hatchback": Body(
        4.10, 1.76, 1.50, 0.20, 0.315, (0.95, 1.03),
        ((0, 0.52), (0.025, 0.57), (0.10, 0.625), (0.26, 0.70), (0.43, 0.955), (0.55, 1), (0.74, 0.985), (0.86, 0.935), (0.975, 0.70), (1, 0.62)),
        (0.195, 0.81), (0.28, 0.56, 0.78, 0.86), (0.27, 0.425, 0.865, 0.965),
    ),
    "van": Body(
        4.95, 1.94, 1.76, 0.21, 0.335, (1.02, 1.06),
        ((0, 0.47), (0.02, 0.52), (0.08, 0.58), (0.205, 0.645), (0.37, 0.93), (0.46, 0.985), (0.62, 1), (0.88, 0.98), (0.935, 0.95), (0.985, 0.66), (1, 0.58)),
        (0.185, 0.80), (0.23, 0.41, 0.645, 0.92), (0.215, 0.365, 0.938, 0.978),
    ),
    "pick-up": Body(
        5.55, 1.97, 1.84, 0.32, 0.39, (1.13, 1.14),
        ((0, 0.57), (0.01, 0.60), (0.06, 0.62), (0.255, 0.65), (0.355, 0.94), (0.41, 0.995), (0.51, 1), (0.595, 0.97), (0.625, 0.68), (0.985, 0.665), (1, 0.64)),
        (0.175, 0.775), (0.265, 0.44, 0.60), (0.26, 0.352, 0.598, 0.618),
    ),
}  # fmt: skip

PAINTS = (  # linear-looking RGB, and how metallic
    (0.86, 0.86, 0.85, 0.0), (0.80, 0.80, 0.79, 0.1), (0.58, 0.60, 0.61, 0.7), (0.66, 0.67, 0.67, 0.7), (0.30, 0.31, 0.33, 0.6),
    (0.16, 0.17, 0.18, 0.4), (0.03, 0.03, 0.035, 0.0), (0.05, 0.05, 0.06, 0.2), (0.42, 0.03, 0.03, 0.2), (0.30, 0.03, 0.05, 0.3),
    (0.04, 0.09, 0.26, 0.3), (0.10, 0.20, 0.36, 0.4), (0.05, 0.15, 0.09, 0.2), (0.52, 0.46, 0.36, 0.5), (0.24, 0.16, 0.10, 0.4),
)  # fmt: skip

# Materials: the paint, then RGB, metallic, gloss (how much of the studio is mirrored when seen from straight ahead).
PAINT, GLASS, RUBBER, TRIM, CHROME, LAMP, RED, PLATE, LINE, HANDLE, TINT, INK, AMBER = range(13)
MATERIALS = np.float32([
    (0, 0, 0, 0, 0.07), (0.035, 0.042, 0.045, 0, 0.16), (0.035, 0.035, 0.037, 0, 0), (0.022, 0.022, 0.024, 0, 0.02),
    (0.48, 0.49, 0.50, 0.9, 0.15), (0.62, 0.64, 0.66, 0.5, 0.22), (0.40, 0.012, 0.016, 0, 0.12), (0.75, 0.75, 0.73, 0, 0.0),
    (0.02, 0.02, 0.02, 0, 0), (0.30, 0.30, 0.30, 0.5, 0.15), (0.10, 0.11, 0.11, 0, 0.10), (0.08, 0.10, 0.28, 0, 0), (0.6, 0.25, 0.03, 0, 0.08),
])  # fmt: skip

# Charts of the atlas: where (0, 0) of each lies, in texels (column, row).
SIDE, TOP, FRONT, REAR, WHEEL, SWATCHES = (0, 0), (0, 272), (0, 424), (160, 424), (320, 424), (480, 424)
UNDER_ROWS, SIDE_ROWS, CORNER_ROWS = 4, 15, 18  # where a cross-section's underside, side and roof edge end


@dataclass(frozen=True, eq=False)
class Car:
    """A mesh, X to the front, Z up, standing on Z = 0, and what is painted on it."""

    points: np.ndarray  # (V, 3) metres
    normals: np.ndarray  # (V, 3)
    texels: np.ndarray  # (V, 2) column and row in the atlas
    triangles: np.ndarray  # (T, 3)
    atlas: np.ndarray  # (576, 1024) uint8, index of a material
    materials: np.ndarray  # (13, 5)
    size: tuple[float, float]  # length, width


def smoothstep(value, low, high):
    """Rise from 0, where a value is `low`, to 1, where it is `high`; with level ends, as a cubic."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _outline(body, d):
    """Height of the outline at distances from the front, its corners rounded."""
    fine = np.linspace(0, body.length, 1000)
    shares, heights = np.array(body.top).T
    sharp = np.interp(fine, shares * body.length, heights * body.height)
    soft = cv2.GaussianBlur(sharp[None], (0, 0), 9, borderType=cv2.BORDER_REPLICATE)[0]
    return np.interp(d, fine, soft)


def _stations(body):
    """Distances from the front at which the body is cut, dense at its ends, its glass and its wheel arches."""
    arches = [a * body.length + (body.tyre + 0.06) * np.cos(np.linspace(0, np.pi, 17)) for a in body.axles]
    end = np.array([0, 0.008, 0.025, 0.05, 0.075])
    inner = np.linspace(0.1, body.length - 0.1, 46)
    return np.unique(np.round(np.concatenate([end, inner, body.length - end, *arches]), 4))


def _sections(body, d):
    """Half cross-sections from the middle of the underside to that of the roof: (stations, rows, 2), y and z."""
    near = np.clip(np.minimum(d, body.length - d), 0, None)
    inset = 0.075 - np.sqrt(0.075**2 - np.clip(0.075 - near, 0, None) ** 2)
    half = body.width / 2 - inset - 0.05 * smoothstep(-near, -0.9, 0)
    under = low = body.sill + inset + 0.04 * smoothstep(-near, -0.5, -0.2)
    for axle in body.axles:
        rise = (body.tyre + 0.06) ** 2 - (d - axle * body.length) ** 2
        low = np.where(rise > -1e-9, np.maximum(low, body.tyre + np.sqrt(np.clip(rise, 0, None))), low)
    top = _outline(body, d) - inset
    shoulder = np.minimum(np.interp(d, [0, body.length], body.belt), top - 0.08)

    def side(z):
        return half - 0.05 * ((z - 0.65) / 0.4) ** 2 - 0.12 * np.clip(0.40 - z, 0, None)

    zero = np.zeros_like(d)
    rows = [(zero, under), (half - 0.30, under), (half - 0.28, low), (side(low) - 0.02, low)]
    for share in (0.02, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1):
        z = low + share * (shoulder - low)
        rows.append((side(z), z))
    radius = np.clip(0.55 * (top - shoulder), 0, 0.10)
    for share in (0.05, 0.5, 1):
        z = shoulder + share * (top - radius - shoulder)
        rows.append((side(shoulder) - 0.015 - (z - shoulder) * (0.25 + 0.12 * (z - shoulder)), z))
    edge = rows[-1][0]
    for angle in np.radians([30, 60, 90]):
        rows.append((edge - radius * (1 - np.cos(angle)), top - radius * (1 - np.sin(angle))))
    for share in (0.85, 0.6, 0.3, 0):
        rows.append((share * rows[CORNER_ROWS - 1][0], top + 0.04 * (1 - share**2)))
    return np.stack([np.stack(row, -1) for row in rows], 1)


def _arc(d, sections):
    """Distance along the outline, from the front."""
    return np.concatenate([[0], np.cumsum(np.hypot(np.diff(d), np.diff(sections[:, -1, 1])))])


def _bend(body, d, y, z):
    """How far a point moves to the middle: bumpers and glass are bowed, seen from above, and lean back."""
    across = (np.abs(y) / (body.width / 2)) ** 2
    middle = np.interp(d, [0, body.length], body.belt)
    lean = 0.10 * smoothstep(z, 0.45, 0.95) + 0.06 * smoothstep(-z, -0.42, -0.2)
    front, rear = smoothstep(-d, -0.52, 0), smoothstep(d, body.length - 0.5, body.length)
    house = 0.14 * across * smoothstep(z, middle - 0.05, middle + 0.3)
    screen = np.tanh((d - 0.55 * body.length) / 0.5)
    return front * (0.20 * across + lean) - rear * (0.15 * across + 0.6 * lean) - house * screen


def _texels(origin, u, v):
    """Column and row in the atlas of a chart's (u, v), in metres."""
    return np.stack(np.broadcast_arrays(origin[0] + TEXELS * u, origin[1] + TEXELS * v), -1)


def _swatch(material, shape):
    return np.broadcast_to((SWATCHES[0] + 8.0 * material + 4, SWATCHES[1] + 4.0), (*shape, 2))


def _normals(points, inside):
    """Normals of a grid of points, away from a point inside."""
    found = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))
    found /= np.linalg.norm(found, axis=-1, keepdims=True) + 1e-12
    return found * np.sign(np.sum(found * (points - inside)))


def _patch(points, texels, normals=None):
    """A grid (n, m, 3) as (points, normals, texels, triangles)."""
    if normals is None:
        normals = _normals(points, points.mean((0, 1)))
    n, m = points.shape[:2]
    corner = (np.arange(n - 1)[:, None] * m + np.arange(m - 1)).ravel()
    triangles = np.concatenate([corner[:, None] + (0, 1, m), corner[:, None] + (m + 1, m, 1)])
    return points.reshape(-1, 3), normals.reshape(-1, 3), texels.reshape(-1, 2), triangles


def _body_patches(body, d, sections):
    """The body: its charts, left and right, and the closed ends."""
    shrink = np.array([0.05, 0.3, 0.6, 0.85])
    pole = np.array([0, 0.5])
    front = pole + (sections[0] - pole) * shrink[:, None, None]
    rear = pole + (sections[-1] - pole) * shrink[::-1, None, None]
    y, z = np.moveaxis(np.concatenate([front, sections, rear]), -1, 0)
    bulge = 0.02 * (1 - shrink**2)
    along = np.concatenate([-bulge, d, body.length + bulge[::-1]])[:, None] + 0 * y
    x = body.length / 2 - along - _bend(body, along, y, z)
    arc = np.pad(_arc(d, sections), 4)[:, None]
    charts = [
        (slice(0, 5), slice(None), _texels(FRONT, y, z)),
        (slice(-5, None), slice(None), _texels(REAR, y, z)),
        (slice(4, -4), slice(UNDER_ROWS - 1, SIDE_ROWS), _texels(SIDE, along, z)),
        (slice(4, -4), slice(SIDE_ROWS - 1, None), _texels(TOP, arc, y)),
        (slice(4, -4), slice(0, UNDER_ROWS), _swatch(TRIM, y.shape)),
    ]
    for mirrored in (1, -1):
        points = np.stack([x, mirrored * y, z], -1)
        normals = _normals(points, np.array([0, 0, 0.6]))
        normals[:, -1, 1] = 0  # the halves meet without a ridge
        for stations, rows, texels in charts:
            yield _patch(points[stations, rows], texels[stations, rows], normals[stations, rows])


def _wheel(x, y, radius, sign):
    """A wheel, its outer face at y, turned from a profile of (radius, depth)."""
    rim = 0.70 * radius
    profile = [(0.001, 0.02), (0.06, 0.015), (0.5 * rim, 0.03), (0.92 * rim, 0.035), (rim, 0.008), (1.06 * rim, 0)]
    profile += [(0.93 * radius, 0.004), (radius, 0.035), (radius, 0.2), (0.9 * radius, 0.22), (0.001, 0.22)]
    r, depth = np.array(profile).T
    angle = np.linspace(0, 2 * np.pi, 31)[:, None]
    u, v = r * np.cos(angle), r * np.sin(angle)
    points = np.stack([x + u, np.broadcast_to(sign * (y - depth), u.shape), radius + v], -1)
    return _patch(points, _texels(WHEEL, 0.55 + u, 0.55 + v))


def _tube(start, end, radius, material):
    """A thin round bar with closed ends."""
    start, end = np.array(start, float), np.array(end, float)
    along = (end - start) / np.linalg.norm(end - start)
    aside = np.cross(along, (0, 1, 0) if abs(along[1]) < 0.9 else (1, 0, 0))
    aside /= np.linalg.norm(aside)
    angle = np.linspace(0, 2 * np.pi, 9)
    ring = np.cos(angle)[:, None] * aside + np.sin(angle)[:, None] * np.cross(along, aside)
    points = np.stack([place + r * ring for place, r in ((start, 1e-3), (start, radius), (end, radius), (end, 1e-3))])
    return _patch(points, _swatch(material, points.shape[:2]))


def _ellipsoid(center, radii, material):
    a, b = np.linspace(0.02, np.pi - 0.02, 9)[:, None], np.linspace(0, 2 * np.pi, 13)
    unit = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a) + 0 * b], -1)
    return _patch(np.array(center) + unit * radii, _swatch(material, unit.shape[:2]))


class _Painter:
    """Draws materials on the charts of an atlas, in metres; a chart is where its (0, 0) lies."""

    def __init__(self):
        self.atlas = np.full((576, 1024), PAINT, np.uint8)
        for material in range(len(MATERIALS)):
            column, row = SWATCHES[0] + 8 * material, SWATCHES[1]
            self.atlas[row : row + 8, column : column + 8] = material

    def fill(self, chart, points, material, line=None):
        """Fill a polygon of points on a chart with a material, and draw its edge in another one, `line`."""
        polygon = np.int32(np.round(_texels(chart, *np.transpose(points))))
        cv2.fillPoly(self.atlas, [polygon], int(material))
        if line is not None:
            cv2.polylines(self.atlas, [polygon], True, int(line), 2)

    def box(self, chart, u0, u1, v0, v1, material):
        """Fill a rectangle on a chart, u0 to u1 and v0 to v1, with a material."""
        self.fill(chart, [(u0, v0), (u1, v0), (u1, v1), (u0, v1)], material)

    def stroke(self, chart, points, material, width=2):
        """Draw a line through points on a chart in a material, `width` texels thick."""
        line = np.int32(np.round(_texels(chart, *np.transpose(points))))
        cv2.polylines(self.atlas, [line], False, int(material), width)

    def plate(self, chart, z):
        """Draw half a number plate on a chart, its lower edge at height z; the other half mirrors it."""
        self.box(chart, -0.05, 0.20, z - 0.01, z + 0.13, LINE)
        self.box(chart, -0.05, 0.18, z, z + 0.12, PLATE)
        for y in (0.02, 0.07, 0.12):
            self.box(chart, y, y + 0.025, z + 0.03, z + 0.085, INK)


def _band(d, low, high):
    """A polygon between two curves over d."""
    return np.concatenate([np.stack([d, low], -1), np.stack([d, high], -1)[::-1]])


def _paint_windows(painter, body, d, sections, rng):
    """Side windows, their frame and pillars, the seats behind them."""
    pillars = np.array(body.pillars) * body.length
    belt = np.interp(d, [0, body.length], body.belt)
    inside = np.linspace(pillars[0], pillars[-1], 80)
    low, high = np.interp(inside, d, belt + 0.025), np.interp(inside, d, sections[:, SIDE_ROWS - 1, 1] - 0.02)
    glass = _band(inside, low, np.maximum(low, high))
    painter.fill(SIDE, glass, GLASS)
    for place in pillars[1:] - 0.08:
        bottom, top = np.interp(place, inside, low), np.interp(place, inside, high) - 0.09
        painter.box(SIDE, place - 0.28, place - 0.06, bottom, top, TINT)
    painter.stroke(SIDE, [*glass, glass[0]], rng.choice([TRIM, TRIM, CHROME]))
    for place in pillars[1:-1]:
        line = [(place, np.interp(place, inside, low)), (place + 0.02, np.interp(place, inside, high))]
        painter.stroke(SIDE, line, TRIM, 9)


def _paint_doors(painter, body):
    """Doors and their handles, sills."""
    pillars, wheels = np.array(body.pillars) * body.length, np.array(body.axles) * body.length
    reach, floor = body.tyre + 0.10, body.sill + 0.07
    doors = [max(pillars[0] + 0.03, wheels[0] + reach), *pillars[1:3]]
    for number, place in enumerate(doors):
        behind = place > wheels[1] - reach  # a door that the wheel arch cuts
        place = min(place, wheels[1] + 0.1)
        top = np.interp(place, [0, body.length], body.belt)
        painter.stroke(SIDE, [(place, body.tyre + 0.75 * reach if behind else floor), (place, top)], LINE)
        if number and place < wheels[1] + 0.25:
            painter.box(SIDE, place - 0.24, place - 0.06, top - 0.13, top - 0.095, HANDLE)
    painter.stroke(SIDE, [(doors[0], floor), (wheels[1] - reach, floor)], LINE)
    painter.box(SIDE, wheels[0] + reach - 0.03, wheels[1] - reach + 0.03, 0, body.sill + 0.035, TRIM)


def _paint_top(painter, body, d, sections, rng):
    """Windscreen, rear window, the edges of bonnet and boot, a sunroof or a bed."""
    edge, length, half = sections[:, CORNER_ROWS - 1, 0], body.length, body.width / 2
    arc = _arc(d, sections)
    for ends, margin in ((body.glass[:2], 0.02), (body.glass[2:], 0.03)):
        inside = np.linspace(*np.multiply(ends, length), 30)
        s, y = np.interp(inside, d, arc), np.interp(inside, d, edge) - margin
        painter.fill(TOP, _band(s, 0 * y - 0.02, y), TRIM)
        painter.fill(TOP, _band(s[1:-1], 0 * y[1:-1] - 0.02, y[1:-1] - 0.03), GLASS)
    screen, roof, rear = np.array((body.glass[0], body.glass[1], body.glass[3])) * length
    nose, cowl, wiper = np.interp([0.12, screen, screen + 0.04], d, arc)
    painter.stroke(TOP, [(wiper, 0.05), (wiper + 0.05, 0.6)], TRIM)
    painter.stroke(TOP, [(nose, 0.72 * half), (cowl, 0.84 * half)], LINE)
    bed = np.interp([rear + 0.08, length - 0.10], d, arc)
    if rear < 0.7 * length:
        painter.box(TOP, *bed, -0.02, half - 0.20, TRIM)
    elif rng.random() < 0.35:
        painter.box(TOP, *np.interp([roof + 0.12, roof + 0.65], d, arc), -0.02, 0.40, GLASS)
    if 0.8 * length < rear < 0.9 * length:
        painter.stroke(TOP, [(bed[0], 0), (bed[0], 0.84 * half)], LINE)


def _paint_front(painter, body, nose, rng):
    """Grille, lamps, bumper and plate; the bonnet's edge lies above the nose."""
    half, low = body.width / 2, body.sill + 0.13
    grille, kind = rng.uniform(0.30, 0.45), rng.choice([TRIM, TRIM, CHROME])
    painter.box(FRONT, -0.05, grille + 0.025, nose - 0.225, nose - 0.03, kind)
    painter.box(FRONT, -0.05, grille, nose - 0.20, nose - 0.055, TRIM)
    for z in nose - 0.18 + 0.045 * np.arange(3):
        painter.stroke(FRONT, [(-0.05, z), (grille - 0.02, z)], HANDLE, 1)
    painter.box(FRONT, -0.02, 0.055, nose - 0.16, nose - 0.09, CHROME)
    inner, slant = grille + rng.uniform(0.05, 0.12), rng.uniform(0, 0.06)
    lamp = [(inner, -0.19), (half, -0.16), (half, 0.02), (inner + slant, -0.03)]
    cheek = [(-0.05, -0.17), (0.10, -0.15), (0.34, 0.03), (0.20, 0.05), (-0.05, 0.01)]
    painter.fill(FRONT, np.add(lamp, (0, nose)), LAMP, line=TRIM)
    painter.fill(SIDE, np.add(cheek, (0, nose)), LAMP, line=TRIM)
    painter.box(FRONT, inner + 0.1, inner + 0.22, nose - 0.15, nose - 0.065, GLASS)
    painter.box(SIDE, 0.13, 0.19, nose - 0.08, nose - 0.05, AMBER)
    painter.box(FRONT, -0.05, half * 0.58, body.sill + 0.10, body.sill + 0.20, TRIM)
    fog = [(half * 0.68, low), (half * 0.9, low + 0.02), (half * 0.9, low + 0.09), (half * 0.72, low + 0.08)]
    painter.fill(FRONT, fog, TRIM)
    painter.plate(FRONT, body.sill + 0.17)


def _paint_rear(painter, body, tail, rng):
    """Lamps, boot lid, bumper and plate."""
    half, end, lid = body.width / 2, body.length, body.sill + 0.33
    upright = tail > 0.95 and rng.random() < 0.5
    inner, low = (half - 0.28, tail - 0.42) if upright else (half - 0.46, tail - 0.25)
    lamp = [(inner, low), (half, low), (half, tail), (inner + 0.05, tail - 0.05)]
    cheek = [(end + 0.05, low), (end - 0.16, low + 0.03), (end - 0.26, tail - 0.02), (end + 0.05, tail + 0.02)]
    painter.fill(REAR, lamp, RED, line=TRIM)
    painter.fill(SIDE, cheek, RED, line=TRIM)
    painter.box(REAR, inner + 0.05, half - 0.1, low + 0.06, low + 0.10, LAMP)
    painter.stroke(REAR, [(0, lid), (half * 0.78, lid), (half * 0.78, low - 0.01)], LINE)
    painter.box(REAR, -0.05, half * 0.7, body.sill + 0.08, body.sill + 0.15, TRIM)
    painter.plate(REAR, tail - 0.25 if rng.random() < 0.6 else body.sill + 0.36)
    painter.box(REAR, -0.02, 0.22, tail - 0.09, tail - 0.07, CHROME)


def _paint_wheel(painter, radius, rng):
    """Tyre, rim and spokes."""
    center, rim = np.int32(np.round(_texels(WHEEL, 0.55, 0.55))), 0.70 * radius * TEXELS
    for share, material in ((2, RUBBER), (1, CHROME), (0.9, TRIM)):
        cv2.circle(painter.atlas, center.tolist(), round(share * rim), material, -1)
    spokes = int(rng.choice([5, 6, 7, 10]))
    for angle in 2 * np.pi * np.arange(spokes) / spokes:
        tip = np.int32(np.round(center + 0.92 * rim * np.array([np.cos(angle), np.sin(angle)])))
        cv2.line(painter.atlas, center.tolist(), tip.tolist(), CHROME, max(3, round(36 / spokes)))
    cv2.circle(painter.atlas, center.tolist(), round(0.22 * rim), CHROME, -1)


def _vary(body, rng):
    """The same kind of body by another maker."""
    long, wide, high = rng.uniform(0.96, 1.04, 3)
    width, tyre = body.width * (1 + wide) / 2, body.tyre * (1 + long) / 2
    belt = (body.belt[0] * high, body.belt[1] * high)
    return replace(body, length=body.length * long, width=width, height=body.height * high, tyre=tyre, belt=belt)


def _mirrors(body):
    x, y, z = body.length * (0.485 - body.pillars[0]), body.width / 2, body.belt[0]
    for sign in (1, -1):
        yield _ellipsoid((x, sign * (y + 0.10), z + 0.075), (0.07, 0.10, 0.065), PAINT)
        yield _tube((x, sign * (y - 0.06), z + 0.02), (x, sign * (y + 0.06), z + 0.05), 0.025, TRIM)


def _rack(body, roof, rng):
    """Rails along the roof, on some with bars across."""
    metal, y = rng.choice([TRIM, CHROME]), 0.29 * body.width
    shares = np.linspace(body.glass[1] + 0.05, min(body.glass[2] - 0.02, 0.88), 3)
    x, z = body.length * (0.5 - shares), np.add(roof(shares), (0.045, 0.06, 0.045))
    for side in (y, -y):
        for i in range(3):
            yield _tube((x[i], side, z[i] - 0.10), (x[i], side, z[i]), 0.02, metal)
            if i:
                yield _tube((x[i - 1], side, z[i - 1]), (x[i], side, z[i]), 0.018, metal)
    for place in (0.5, 1.5) if rng.random() < 0.5 else ():
        bar = [np.interp(place, range(3), x), np.interp(place, range(3), z) + 0.02]
        yield _tube((bar[0], -y - 0.1, bar[1]), (bar[0], y + 0.1, bar[1]), 0.016, metal)


def _extras(body, kind, d, sections, rng):
    """Mirrors, wheels, and on some a rack and an aerial."""

    def roof(share):
        return np.interp(np.multiply(share, body.length), d, sections[:, -1, 1])

    yield from _mirrors(body)
    for axle in body.axles:
        for sign in (1, -1):
            yield _wheel(body.length * (0.5 - axle), body.width / 2 - 0.05, body.tyre, sign)
    if kind != "pick-up" and rng.random() < (0.25 if kind == "saloon" else 0.6):
        yield from _rack(body, roof, rng)
    if rng.random() < 0.7:
        share, y = rng.choice([body.glass[1] + 0.03, body.glass[2] - 0.03]), 0
        if kind == "pick-up":
            share, y = body.glass[0] - 0.02, 0.30 * body.width
        base = np.array((body.length * (0.5 - share), y, roof(share) - 0.03 - 0.1 * (y > 0)))
        yield _tube(base, base + np.array((-0.3, 0, 1)) * rng.uniform(0.25, 0.5), 0.011, TRIM)


def _join(patches):
    """Patches as one mesh, all triangles seen from outside in the same sense."""
    points, normals, texels, triangles = zip(*patches, strict=True)
    starts = np.cumsum([0, *map(len, points)])
    triangles = np.concatenate([part + start for part, start in zip(triangles, starts[:-1], strict=True)])
    points, normals, texels = map(np.concatenate, (points, normals, texels))
    a, b, c = (points[triangles[:, i]] for i in range(3))
    inward = np.sum(np.cross(b - a, c - a) * normals[triangles].sum(1), -1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return points, normals, texels, triangles


@lru_cache(maxsize=4)
def build(seed):
    """Build the car of a seed.

    Parameters
    ----------
    seed : int
        0 or more; five in a row give the five bodies.

    Returns
    -------
    Car
        The same object for the same seed: don't change it.
    """
    rng = np.random.default_rng([seed, 0])
    kind = list(BODIES)[seed % len(BODIES)]
    body = _vary(BODIES[kind], rng)
    d = _stations(body)
    sections, painter = _sections(body, d), _Painter()
    _paint_windows(painter, body, d, sections, rng)
    _paint_doors(painter, body)
    _paint_top(painter, body, d, sections, rng)
    _paint_front(painter, body, sections[0, -1, 1], rng)
    _paint_rear(painter, body, sections[-1, -1, 1] + 0.05, rng)
    _paint_wheel(painter, body.tyre, rng)
    mesh = _join([*_body_patches(body, d, sections), *_extras(body, kind, d, sections, rng)])
    materials = MATERIALS.copy()
    *rgb, metallic = PAINTS[int(rng.integers(len(PAINTS)))]
    materials[PAINT, :4] = *np.clip(np.multiply(rgb, rng.uniform(0.9, 1.1)), 0, 0.9), metallic
    materials[LINE, :3] = 0.2 * materials[PAINT, :3]  # a shut line lies in the shade
    return Car(*mesh, painter.atlas, materials, (float(body.length), float(body.width)))
