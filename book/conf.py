"""Sphinx settings that turn the saved notebooks into a web site, outputs/book: `make book`."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = "dreamkit"
author = "The dreamkit contributors"
copyright = "the dreamkit contributors, MIT licence"
html_title = "dreamkit"

extensions = ["myst_nb"]
root_doc = "book/index"
include_patterns = ["book/*.md", "docs/*.md", "notebooks/*.ipynb", "notebooks/solutions/*.ipynb"]
exclude_patterns = [".*", "outputs", "**/outputs", "**/.ipynb_checkpoints", "tests", "dreamkit"]

nb_execution_mode = "off"  # the pages show the committed outputs
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
nitpicky = True
suppress_warnings = ["mystnb.unknown_mime_type"]

html_math_renderer = "mathml"  # browsers render it themselves, so formulas need no connection
html_theme = "sphinx_book_theme"
html_theme_options = {
    "show_navbar_depth": 1,  # solutions stay folded until the reader opens them
    "show_toc_level": 2,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the sidebar already has the search
}
html_static_path = ["style"]
html_css_files = ["book.css"]
html_extra_path = ["extra"]  # index.html, which redirects to book/index.html
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}

QUIZ = "<!-- the quiz -->"
MARKER = '"# NBVAL_CHECK_OUTPUT\\n",'
DOTS = re.compile(r"\\dots(?![a-zA-Z])")  # the converter only knows \ldots
SIZES = re.compile(r"\\[bB]igg?[lrm]?(?![a-zA-Z])")  # MathML brackets choose their own size


def setup(app):
    """Render formulas as MathML, and leave the tests' markers out of the pages."""
    app.add_html_math_renderer("mathml", (draw_math, None), (draw_math, None))
    app.connect("source-read", leave_out_markers)
    app.connect("source-read", put_in_quiz)


def draw_math(translator, node):
    """Write one formula, which is LaTeX in the notebooks, as MathML."""
    block = isinstance(node, nodes.math_block)
    text = DOTS.sub(r"\\ldots", SIZES.sub("", node.astext()))
    formula = tex2mathml(text, as_block=block)
    tag = "div" if block else "span"
    translator.body.append(f'<{tag} class="formula">{formula}</{tag}>')
    raise nodes.SkipNode


def leave_out_markers(app, name, source):
    """Remove the comments that mark the cells whose output the tests compare."""
    source[0] = source[0].replace(MARKER, "")


def put_in_quiz(app, name, source):
    """Fill the self-test with the questions of data/quiz.yml."""
    if QUIZ in source[0]:
        from dreamkit.grading.quiz import self_test_page

        source[0] = source[0].replace(QUIZ, self_test_page())
