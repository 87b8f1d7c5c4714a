"""Render cars in a photo studio, each from 16 sides, with exact masks. They stand in for Carvana's photographs.

A z-buffer finds what each sample of the camera sees of a mesh from `mesh`; lamps, wall and floor of the studio light
it and are mirrored in it. What is drawn is decided by whole samples, so the mask is exact.
"""

import hashlib
import math
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from course_utils.datasets._cars.mesh import build, smoothstep

VIEWS = 16
SCALE = 2  # samples along a pixel's side
FEW_PIXELS = 400_000  # of all cars in one view; fewer are rendered without further processes
CAMERA_DISTANCE, CAMERA_HEIGHT, AIM_HEIGHT = 9.5, 1.9, 0.70  # metres
SIGHT = 6.9  # metres that the picture's width shows where the car stands
TILT = np.arctan2(CAMERA_HEIGHT - AIM_HEIGHT, CAMERA_DISTANCE)


def _project(points, size):
    """Column, row and 1 / distance of points in the studio, (V, 3) float32, for a picture of a size."""
    y, z = points[:, 1] + CAMERA_DISTANCE, points[:, 2] - CAMERA_HEIGHT
    depth = y * np.cos(TILT) - z * np.sin(TILT)
    up = y * np.sin(TILT) + z * np.cos(TILT)
    focal = size[1] * CAMERA_DISTANCE / SIGHT
    columns = size[1] / 2 - 0.5 + focal * points[:, 0] / depth
    return np.stack([columns, size[0] / 2 - 0.5 - focal * up / depth, 1 / depth], -1)


def _rasterise(screen, triangles, size):
    """Find what each sample sees: positions (flat), triangles and barycentric weights (P, 3) of the nearest surface."""
    a, b, c = (screen[triangles[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    seen = np.flatnonzero(area < -1e-6)  # the others show their back
    a, b, c, area = a[seen], b[seen], c[seen], area[seen]
    # An edge from p to q: inside where gx * x + gy * y + g >= 0.
    edges = []
    for p, q in ((b, c), (c, a), (a, b)):
        gx, gy = (p[:, 1] - q[:, 1]) / area, (q[:, 0] - p[:, 0]) / area
        edges.append((gx, gy, -gx * p[:, 0] - gy * p[:, 1]))
    edges = np.array(edges)  # (edge, coefficient, triangle): the barycentric weights
    rows = np.stack([a[:, 1], b[:, 1], c[:, 1]])
    first = np.clip(np.ceil(rows.min(0)), 0, size[0]).astype(int)
    counts = np.clip(np.floor(rows.max(0)).astype(int) + 1, first, size[0]) - first
    owner = np.repeat(np.arange(len(seen)), counts)
    row = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    gx, rest = edges[:, 0, owner], edges[:, 1, owner] * row + edges[:, 2, owner]
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = -rest / gx
    left = np.ceil(np.where(gx > 0, bound, -np.inf).max(0) - 1e-6)
    right = np.floor(np.where(gx < 0, bound, np.inf).min(0) + 1e-6)
    left, right = np.clip(left, 0, size[1]).astype(int), np.clip(right, -1, size[1] - 1).astype(int)
    counts = np.clip(right - left + 1, 0, None)
    line = np.repeat(np.arange(len(owner)), counts)
    column = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts - left, counts)
    owner, row = owner[line], row[line]
    inverse = np.stack([a[:, 2], b[:, 2], c[:, 2]])
    depth = np.einsum("et,ect->ct", inverse, edges)[:, owner]
    near = depth[0] * column + depth[1] * row + depth[2]
    key = ((1 - near) * 2**30).astype(np.int64) << 32 | np.arange(len(near))
    nearest = np.full(size[0] * size[1], np.iinfo(np.int64).max)
    np.minimum.at(nearest, row * size[1] + column, key)
    places = np.flatnonzero(nearest != np.iinfo(np.int64).max)
    won = nearest[places] & (2**32 - 1)
    owner, row, column = owner[won], row[won], column[won]
    u, v = (gx[owner] * column + gy[owner] * row + g[owner] for gx, gy, g in edges[:2])
    return places, seen[owner], np.stack([u, v, 1 - u - v], -1).astype(np.float32)


def _surroundings(x, y, z):
    """Brightness of the studio in a direction: lamps above, a bright wall, the floor."""
    lamps = smoothstep(z, 0.5, 0.72) * (0.9 + 1.3 * smoothstep(np.cos(6 * x), 0.1, 0.5))
    wall = 0.62 * smoothstep(z, -0.10, 0.08) * (1 - 0.25 * smoothstep(z, 0.25, 0.45)) * (0.8 + 0.2 * y)
    floor = 0.42 * smoothstep(-z, 0.05, 0.5) + 0.20
    return np.where(z > 0, wall + lamps, floor)


def _shade(car, normals, texels, height, places, size):
    """Color of each sample, (P, 3), 0 to 1."""
    material = car.atlas[np.clip(texels[:, 1], 0, 575).astype(int), np.clip(texels[:, 0], 0, 1023).astype(int)]
    base, metallic, gloss = car.materials[:, :3][material], car.materials[material, 3], car.materials[material, 4]
    nx, ny, nz = normals.T.copy()
    norm = 1 / np.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx * norm, ny * norm, nz * norm
    row, column = (part.astype(np.float32) for part in np.divmod(places, size[1]))
    across = (column / size[1] - 0.5) * (SIGHT / CAMERA_DISTANCE)
    down = (row / size[0] - 0.5) * (SIGHT / CAMERA_DISTANCE * size[0] / size[1]) + 0.13
    scale = 1 / np.sqrt(1 + across**2 + down**2)
    vx, vy, vz = -across * scale, -scale, down * scale  # toward the camera
    facing = np.clip(nx * vx + ny * vy + nz * vz, 0, 1)
    mirrored = _surroundings(2 * facing * nx - vx, 2 * facing * ny - vy, 2 * facing * nz - vz)
    light = (0.62 + 0.36 * nz - 0.10 * ny + 0.06 * nx) * (0.55 + 0.45 * smoothstep(height, 0.05, 0.75))
    fresnel = gloss + (np.minimum(gloss * 8, 0.8) - gloss) * (1 - facing) ** 4
    body = base * (light * (1 - 0.45 * metallic) + 0.75 * metallic * mirrored)[:, None]
    return body + (fresnel * mirrored)[:, None]


@lru_cache(maxsize=2)
def _studio(size):
    """The empty studio (H, W, 3), and where each pixel's sight meets the floor: x, y in metres, and how much is floor."""
    focal = size[1] * CAMERA_DISTANCE / SIGHT
    right = (np.arange(size[1]) - size[1] / 2 + 0.5)[None] / focal
    up = -(np.arange(size[0]) - size[0] / 2 + 0.5)[:, None] / focal
    ahead, sink = np.cos(TILT) + up * np.sin(TILT), np.sin(TILT) - up * np.cos(TILT)
    reach = CAMERA_HEIGHT / np.clip(sink, 0.02, None)
    x, y = right * reach, ahead * reach - CAMERA_DISTANCE
    floor = np.broadcast_to(smoothstep(-y, -5.5, -3.2), x.shape)
    radius = np.hypot(x, y)
    ground = 0.80 - 0.20 * smoothstep(radius, 1.5, 7) - 0.05 * np.exp(-(((radius - 3.15) / 0.03) ** 2))
    ground = ground - 0.03 * smoothstep(radius, 3.15, 3.2)
    wall = 0.86 - 0.22 * np.clip(np.hypot(right * 2.2, (up - 0.05) * 1.6), 0, 1) ** 1.5 * 1.6 + 0 * x
    gray = wall + (ground - wall) * floor
    tone = np.stack([gray * t for t in (0.995, 1.0, 1.0)], -1)
    return tone.astype(np.float32), x.astype(np.float32), y.astype(np.float32), floor[..., None].astype(np.float32)


def _shadow(car, turn, x, y):
    """How dark the floor is under and beside the car, 0 to 1."""
    cosine, sine = math.cos(turn), math.sin(turn)
    along, across = x * cosine + y * sine, y * cosine - x * sine
    length, width = car.size[0] / 2, car.size[1] / 2
    soft = np.ones_like(x)
    deep = np.ones_like(x)
    for place, half in ((along, length - 0.1), (across, width)):
        soft = soft * smoothstep(half - np.abs(place), -0.75, 0.5)
        deep = deep * smoothstep(half - np.abs(place), -0.12, 0.28)
    return (0.42 * soft + 0.54 * deep)[..., None]


def _look(car, turn, size, mirrored=False):
    """Places, colors and heights of the samples where the car, or its mirror image in the floor, is seen."""
    cosine, sine = math.cos(turn), math.sin(turn)

    def rotate(v):
        flip = -1 if mirrored else 1
        return np.stack([v[:, 0] * cosine - v[:, 1] * sine, v[:, 0] * sine + v[:, 1] * cosine, flip * v[:, 2]], -1)

    triangles = car.triangles[:, ::-1] if mirrored else car.triangles
    places, owner, weights = _rasterise(_project(rotate(car.points), size), triangles, size)
    corners = triangles[owner]
    values = np.concatenate([rotate(car.normals), car.texels, car.points[:, 2:]], -1).astype(np.float32)
    a, b, c = (np.take(values, corners[:, i], 0) * weights[:, i, None] for i in range(3))
    values = a + b + c
    return places, _shade(car, values[:, :3], values[:, 3:5], values[:, 5], places, size), values[:, 5]


def _ground(car, turn, size):
    """The studio with the car's shadow and its faint mirror image in the floor, (H, W, 3)."""
    empty, x, y, floor = _studio(size)
    half = ((size[0] + 1) // 2, (size[1] + 1) // 2)  # blurred anyway
    places, colors, height = _look(car, turn, half, mirrored=True)
    strength = 0.12 * np.exp(-height / 0.5)[:, None]  # it fades with the height
    image = _spread(half, places, np.insert(colors, 3, 1, axis=1) * strength)
    image = cv2.resize(cv2.GaussianBlur(image, (0, 0), size[1] / 800), size[::-1])
    return (empty * (1 - image[..., 3:]) + image[..., :3]) * (1 - floor * _shadow(car, turn, x, y))


def _spread(size, places, values):
    """An array (H, W, ...) that is zero but for values at flat places."""
    spread = np.zeros((size[0] * size[1], *values.shape[1:]), np.float32)
    spread[places] = values
    return spread.reshape(*size, *values.shape[1:])


def render_car(seed, view, size=(320, 480)):
    """Render one picture of a car in a studio, and its mask.

    Parameters
    ----------
    seed : int
        Which car: 0 or more. Five seeds in a row give the five bodies of `mesh.BODIES`.
    view : int
        1 to 16: the car on its turntable, 22.5 degrees on at each; it faces the camera at 1.
    size : tuple of int
        Height and width in pixels, at least 16 each; the car fits where the width is 1.5 times the height.

    Returns
    -------
    picture : numpy.ndarray
        (H, W, 3), uint8, RGB.
    mask : numpy.ndarray
        (H, W), bool: True where the car, mirrors, aerial and rack included, covers at least two of the pixel's four
        samples. The picture blends car and studio by that same share. Shadow and mirror image don't belong to it.

    Raises
    ------
    ValueError
        If there is no such view, seed or size.
    """
    check(seed, view, size)
    car, turn = build(seed), np.pi * ((view - 1) / 8 - 0.5)
    fine = (size[0] * SCALE, size[1] * SCALE)
    places, colors, _ = _look(car, turn, fine)
    layers = _spread(fine, places, np.insert(colors, 3, 1, axis=1))
    layers = cv2.resize(layers, size[::-1], interpolation=cv2.INTER_AREA)  # the mean of each pixel's samples
    share = layers[..., 3:]
    session = np.random.default_rng([seed, VIEWS + 1])  # exposure and white balance of the day
    exposure = (session.uniform(0.9, 1.06) * session.uniform(0.98, 1.02, 3)).astype(np.float32)
    light = layers[..., :3] + _ground(car, turn, tuple(size)) * (1 - share)
    picture = np.round(np.clip(light * exposure, 0, 1) ** 0.72 * 255)
    rng = np.random.default_rng([seed, view])
    picture += rng.integers(-3, 4, picture.shape, np.int8)
    picture += rng.integers(-2, 3, (*size, 1), np.int8)
    return np.clip(picture, 0, 255).astype(np.uint8), share[..., 0] >= 0.5


def check(seed, view, size):
    """Raise a ValueError unless seed, view and size are those of a car that can be rendered.

    Parameters
    ----------
    seed, view : int
        The car, from 0, and the side that it is seen from, 1 to 16.
    size : tuple of int
        Height and width in pixels, at least 16 each.
    """
    numbers = (seed, *size) if isinstance(size, (tuple, list)) and len(size) == 2 else ()
    is_whole = bool(numbers) and all(isinstance(number, (int, np.integer)) for number in numbers)
    if not is_whole or seed < 0 or view not in range(1, VIEWS + 1) or min(size) < 16:
        raise ValueError(
            f"expected seed >= 0, a view from 1 to 16, and size=(height, width) of at least 16 pixels each, "
            f"got seed={seed}, view={view}, size={size}."
        )


def name_of(seed):
    """Return the 12 hex digits that name the car of a seed in files, as Carvana's do."""
    return hashlib.sha256(f"car {seed}".encode()).hexdigest()[:12]


def write_cars(folder, cars=40, size=(320, 480), seed=0):
    """Render cars from 16 sides each into a folder laid out as Carvana's, unless it is there already.

    Any number of processes may call this at once: one renders, the others wait. The folder gets its name when it is
    whole. 40 cars of the default size take about 20 s on two cores, and 21 MB.

    Parameters
    ----------
    folder : path
        Will hold `train/<name>_<01..16>.jpg` and `train_masks/<name>_<01..16>_mask.gif`.
    cars : int
        How many cars.
    size : tuple of int
        Height and width in pixels, see :func:`render_car`.
    seed : int
        Another seed gives other cars; 0 or more.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        If the number of cars, the size or the seed is out of range.
    OSError
        If the folder can't be written.
    """
    from filelock import FileLock

    check(seed, 1, size)
    if cars < 1:
        raise ValueError(f"expected at least one car, got cars={cars}.")
    folder = Path(folder).expanduser().absolute()
    if folder.is_dir():  # a lock needs a folder that can be written to, and finished cars may lie in one that can't
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            part = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
            for name in ("train", "train_masks"):
                (part / name).mkdir(parents=True)
            try:
                _share_out(part, range(seed * 10_000, seed * 10_000 + cars), size)
                part.replace(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return folder


def _share_out(folder, seeds, size):
    """Render on all cores, in separate processes, because those work the same in notebooks and scripts on every system."""
    workers = min(os.cpu_count() or 1, len(seeds))
    if workers == 1 or len(seeds) * size[0] * size[1] < FEW_PIXELS:
        return _write(folder, seeds, size)
    command = [sys.executable, "-m", "course_utils.datasets._cars.render", str(folder), str(size[0]), str(size[1])]
    options = {"cwd": Path(__file__).resolve().parents[3], "env": os.environ | {"OMP_NUM_THREADS": "1"}, "text": True}
    options |= {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    running = []
    try:
        for first in range(workers):
            running.append(subprocess.Popen([*command, *map(str, seeds[first::workers])], **options))
        for process in running:
            _, words = process.communicate()
            if process.returncode:
                raise OSError(f"Rendering cars into {folder} failed: {(words.splitlines() or ['stopped'])[-1]}")
    finally:
        for process in running:
            process.kill()
            process.wait()
            process.stderr.close()


def _write(folder, seeds, size):
    from PIL import Image

    for seed in seeds:
        for view in range(1, VIEWS + 1):
            picture, mask = render_car(seed, view, size)
            name = f"{name_of(seed)}_{view:02d}"
            Image.fromarray(picture).save(folder / "train" / f"{name}.jpg", quality=92)
            indices = Image.fromarray(mask.astype(np.uint8), "P")
            indices.putpalette([0, 0, 0, 255, 255, 255])
            indices.save(folder / "train_masks" / f"{name}_mask.gif", optimize=False)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    _write(Path(sys.argv[1]), [int(seed) for seed in sys.argv[4:]], (int(sys.argv[2]), int(sys.argv[3])))
