"""Sphinx: the reading site. `make site` lays the pages' sources into one folder and builds them from there."""

from importlib import metadata
from pathlib import Path

from docutils import nodes

project = "Advanced neural networks"
author = "the contributors to this collection"
copyright = "2026 the contributors to this collection. Text and figures are under CC BY 4.0, code under the MIT License"
release = version = metadata.version("course-utils")

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc"]
smartquotes = False  # as the lessons have it
exclude_patterns = ["files"]  # what lessons link to: for download, not pages
nb_execution_mode = "off"  # the stored outputs are the ones that the tests compare
nb_render_markdown_format = "myst"  # tables and links in what a cell shows
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # as the source has them: a folder by its name, not by where it lies on this machine
add_module_names = False
autodoc_typehints = "none"  # types stand in the docstrings
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_title = project
html_context = {"default_mode": "auto"}  # light or dark as the reader's system is
html_theme = "sphinx_book_theme"
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the sidebar has the search
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}
html_static_path = ["static"]  # of the folder that `make site` lays out: this one's, and MathJax
html_css_files = ["site.css"]
html_js_files = [("explorer.js", {"defer": "defer"})]
html_use_index = html_domain_indices = False  # the search finds a name, and the package has one page
html_show_search_summary = False  # it reads the pages anew, which a browser forbids where they are files on a disk
html_copy_source = html_show_sourcelink = html_show_sphinx = False
mathjax_path = "mathjax.js"
mathjax3_config = {"tex": {"tags": "ams"}}  # a formula that is referred to has a number: \label, \eqref

TOGGLE = '<summary><span class="toctree-toggle"'


def fold_asides(app, doctree, docname):
    """Put what stands under a heading "Aside: ..." behind a click."""
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title)
        if title is not None and title.parent is section and title.astext().startswith("Aside:"):
            opening = '<details class="aside"><summary>Show the aside</summary>'
            section.insert(section.index(title) + 1, nodes.raw("", opening, format="html"))
            section.append(nodes.raw("", "</details>", format="html"))


def name_toggles(app, error):
    """Give the arrow that unfolds pages in the sidebar a name, which a screen reader says and the theme leaves out."""
    for page in Path(app.outdir).glob("*.html"):
        text = page.read_text(encoding="utf-8")
        named = text.replace(TOGGLE, TOGGLE.replace(">", ' aria-label="its pages">', 1))
        if named != text:
            page.write_text(named, encoding="utf-8")


def search_sections(app, pagename, templatename, context, doctree):
    """Let the search page look through the lessons' sections, too."""
    if pagename == "search":
        app.add_js_file("sections-index.js")
        app.add_js_file("sections.js")


def setup(app):
    """Let Sphinx call them, for each page and at the end."""
    app.connect("html-page-context", search_sections)
    app.connect("doctree-resolved", fold_asides)
    app.connect("build-finished", name_toggles)
