"""What makes the built reading site small: no file that no page asks for, pictures as WebP without loss, code without spans that color nothing."""

import hashlib
import io
import re
import shutil

from PIL import Image

_PICTURE = re.compile(r'(?<=")_images/[^"]+\.png(?=")')
_SPAN = re.compile(r'<span class="(\w+)">([^<]*)</span>')
_ICON = re.compile(r'(?<=[{,])"?([a-z0-9-]+)"?:\[\d+,\d+,\[[^\]]*\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\],?')


def pictures(html, cache):
    """Turn the pages' PNG files into WebP files, pixel by pixel the same, and lead the pages to them.

    Parameters
    ----------
    html : pathlib.Path
        The folder of the pages; pictures lie in ``_images``.
    cache : pathlib.Path
        A folder where they are kept for the next time.
    """
    cache.mkdir(parents=True, exist_ok=True)
    used = set()
    for page in html.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        new = _PICTURE.sub(lambda found: f"_images/{_converted(html / found[0], cache)}", text)
        used.update(re.findall(r'"_images/([^"]+\.webp)"', new))
        if new != text:
            page.write_text(new, encoding="utf-8")
    for path in (html / "_images").glob("*"):
        if path.suffix == ".png" or (path.suffix == ".webp" and path.name not in used):
            path.unlink()


def _converted(path, cache):
    """The name of a picture's WebP file, which is the same for the same picture: a cover is also a figure of its lesson."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:20]
    name = f"{digest}.webp"
    if not (cache / name).exists():
        stream = io.BytesIO()
        with Image.open(path) as image:
            image.convert("RGB").save(stream, "WEBP", lossless=True, quality=70, method=4)
        (cache / name).write_bytes(stream.getvalue())
    shutil.copyfile(cache / name, path.with_name(name))
    return name


def code(html):
    """Take out the spans around code that leave its color as it is, and write the others as short as HTML allows.

    Parameters
    ----------
    html : pathlib.Path
    """
    style = (html / "_static" / "pygments.css").read_text(encoding="utf-8")
    ground = set(re.findall(r"\.highlight \{ [^}]*?(color: #\w+) \}", style))
    styled = {name for name, look in re.findall(r"\.highlight \.(\w+) \{ ([^}]*?);? \}", style) if look not in ground}

    def plain(span):
        if span[1] == "pre":
            return span[0]
        return f"<i class={span[1]}>{span[2]}</i>" if span[1] in styled and span[2] else span[2]  # site.css: not italic

    for page in html.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        new = re.sub(r"<pre>.*?</pre>", lambda part: _SPAN.sub(plain, part[0]), text, flags=re.S)
        if new != text:
            page.write_text(new, encoding="utf-8")


def theme(html):
    """Drop what the theme brings along and no page asks for: maps of its sources, other languages, fonts of icons, and icons that no page has.

    Parameters
    ----------
    html : pathlib.Path
    """
    static = html / "_static"
    for path in static.rglob("*.map"):
        path.unlink()
    shutil.rmtree(static / "locales", ignore_errors=True)
    for path in (static / "vendor").rglob("fa-*.woff2"):
        if path.name != "fa-solid-900.woff2":  # pages name no other, and the script draws most of this one
            path.unlink()
    icons = static / "scripts" / "fontawesome.js"
    if not icons.exists():
        return
    text = "".join(
        path.read_text(encoding="utf-8") for path in [*html.glob("*.html"), *(static / "scripts").glob("*-theme.js")]
    )
    wanted = set(re.findall(r"\bfa-([a-z0-9-]+)", text))
    script = icons.read_text(encoding="utf-8")
    icons.write_text(_ICON.sub(lambda icon: icon[0] if icon[1] in wanted else "", script), encoding="utf-8")
