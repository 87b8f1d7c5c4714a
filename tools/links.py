"""Look at the links of all pages: those inside of the collection (the tests do), and, with a network, ``python -m tools.links``."""

import html
import re
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

from course_utils import notebooks

ROOT = Path(__file__).resolve().parent.parent
_FENCED = re.compile(r"^(```+|~~~+).*?^\1[^\S\n]*$", re.M | re.S)
_CODE = re.compile(rf"{_FENCED.pattern}|`[^`\n]+`", re.M | re.S)
_TARGET = re.compile(
    r"\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*<?([^\s>]+)|<(https?:[^\s>]+)>|<(?:a|img)\b[^>]*?(?:href|src)=\"([^\"]+)\"",
    re.M,
)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)


def pages():
    """List the pages that a reader meets: Markdown files of the project and its folders, and the lessons."""
    folders = [ROOT, *(ROOT / name for name in ("data", "deploy", "benchmarks", "publish/teaching"))]
    return sorted(path for folder in folders for path in folder.glob("*.md")) + [
        lesson.path for lesson in notebooks.lessons()
    ]


def text_of(page):
    """Read the Markdown of a page: a file, or a notebook's Markdown cells and the Markdown that its cells show.

    Parameters
    ----------
    page : pathlib.Path or nbformat.NotebookNode

    Returns
    -------
    str
    """
    if isinstance(page, Path) and page.suffix != ".ipynb":
        return page.read_text(encoding="utf-8")
    notebook = notebooks.read(page) if isinstance(page, Path) else page
    parts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    parts += [output.data["text/markdown"] for output in outputs if "text/markdown" in output.get("data", {})]
    return "\n\n".join(parts)


def targets(text):
    """List where the links and pictures of a Markdown text lead, in order; what stands in code is left out."""
    return ["".join(found) for found in _TARGET.findall(_CODE.sub("", text))]


def anchors(text):
    """List the anchors of a page: of each heading as GitHub makes it (lower case) and as JupyterLab does, and those set by hand.

    Parameters
    ----------
    text : str
        Its Markdown.

    Returns
    -------
    set of str
    """
    found, seen = set(re.findall(r"<a\b[^>]*?(?:id|name)=\"([^\"]+)\"", text)), Counter()
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", _FENCED.sub("", text), re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", html.unescape(heading)).replace("*", "").replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        found |= {words.replace(" ", "-"), f"{slug}-{seen[slug]}" if seen[slug] else slug}
        seen[slug] += 1
    return found


def broken(text, path):
    """Say which links of a page lead nowhere inside of the collection.

    Parameters
    ----------
    text : str
        The page's Markdown.
    path : pathlib.Path
        Where the page is, since links are relative to it.

    Returns
    -------
    list of str
        A sentence for each.
    """
    problems = []
    for target in targets(text):
        if _OUTSIDE.match(target):
            continue
        name, _, anchor = unquote(target).partition("#")
        there = path.parent / name if name else path
        if name and not there.exists():
            problems.append(f"the link {target!r} leads nowhere")
        elif (
            anchor and there.suffix in (".md", ".ipynb") and anchor not in anchors(text if not name else text_of(there))
        ):
            problems.append(f"the link {target!r} leads to no heading of {there.name}")
    return problems


def unreachable(addresses, get):
    """Try addresses outside of the collection.

    Parameters
    ----------
    addresses : iterable of str
    get : callable
        Takes an address and returns its status; raises OSError where there is no answer.

    Returns
    -------
    dict
        What is wrong, by address. A server that refuses programs (401, 403, 429) is taken to be there.
    """
    found = {}
    for address in addresses:
        try:
            status = get(address)
        except OSError as error:
            found[address] = type(error).__name__
            continue
        if status >= 400 and status not in (401, 403, 429):
            found[address] = f"status {status}"
    return found


def _status(address):
    import requests

    with requests.get(address, timeout=30, stream=True, headers={"User-Agent": "Mozilla/5.0 (link check)"}) as answer:
        return answer.status_code


def main():
    """Try every address of every page, and list those that do not answer with the pages that name them."""
    named = {}
    for page in pages():
        for target in targets(text_of(page)):
            if target.startswith("http"):
                named.setdefault(target.split("#")[0], set()).add(page.name)
    problems = unreachable(sorted(named), _status)
    for address, problem in problems.items():
        print(f"{address}: {problem} ({', '.join(sorted(named[address]))})")
    print(f"{len(named)} addresses, {len(problems)} do not answer.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
