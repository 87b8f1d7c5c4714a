"""No link of a page leads nowhere inside of the collection, and the check finds those that would."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import nbformat
import pytest

from tools import links


@pytest.mark.parametrize("page", links.pages(), ids=lambda page: page.relative_to(links.ROOT).as_posix())
def test_every_link_inside_of_the_collection_leads_somewhere(page):
    assert links.broken(links.text_of(page), page) == []


def test_all_kinds_of_pages_are_looked_at():
    names = {page.relative_to(links.ROOT).as_posix() for page in links.pages()}
    assert {
        "README.md",
        "CONTRIBUTING.md",
        "TEACHING.md",
        "publish/teaching/plans.md",
        "data/README.md",
        "notebooks/00_start_here.ipynb",
    } <= names


TEXT = """# A *title* with `code`

See [one](other.md), ![two](my%20picture.png), <https://example.org/a>, <a href="page.html#x">three</a> and [four][4].

```
[not a link](in-code.md)
# no heading
```

`[nor](this.md)` is one.

## What goes wrong?

## What goes wrong?

<a id="by-hand"></a>

[4]: https://example.org/b
"""


def test_links_are_found_and_code_is_left_out():
    assert links.targets(TEXT) == [
        "other.md", "my%20picture.png", "https://example.org/a", "page.html#x", "https://example.org/b"
    ]  # fmt: skip


def test_anchors_are_those_of_github_and_of_jupyterlab():
    assert links.anchors(TEXT) == {
        "A-title-with-code", "a-title-with-code", "What-goes-wrong?", "what-goes-wrong", "what-goes-wrong-1", "by-hand",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("there.md", None),
        ("my%20notes.md", None),
        ("there.md#its-heading", None),
        ("#own", None),
        ("https://example.org/nothing", None),
        ("mailto:ada@example.org", None),
        ("folder/", None),
        ("gone.md", "leads nowhere"),
        ("there.md#another", "leads to no heading of there.md"),
        ("#another", "leads to no heading of page.md"),
        ("lesson.ipynb#shown", None),
        ("lesson.ipynb#hidden", "leads to no heading of lesson.ipynb"),
    ],
)
def test_broken_link_is_found(link, problem, tmp_path):
    (tmp_path / "there.md").write_text("# Its heading\n")
    (tmp_path / "my notes.md").touch()
    (tmp_path / "folder").mkdir()
    shown = nbformat.v4.new_output("display_data", data={"text/markdown": "## Shown"})
    cells = [nbformat.v4.new_code_cell("# hidden", outputs=[shown])]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    found = links.broken(f"# Own\n\n[link]({link})\n", tmp_path / "page.md")
    assert found == ([] if problem is None else [f"the link {link!r} {problem}"])


class _Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_):
        pass


def test_addresses_that_do_not_answer_are_listed():
    server = HTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    asked = [f"{base}/{status}" for status in (200, 403, 404, 500)]
    found = links.unreachable(asked, links._status)
    server.shutdown()
    server.server_close()
    assert found == {asked[2]: "status 404", asked[3]: "status 500"}
    assert links.unreachable([asked[0]], links._status) == {asked[0]: "ConnectionError"}
