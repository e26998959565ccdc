"""The playground as a web page of its own: its notebook, and how it is dressed.  (README)"""

import contextlib
import io

HEAD = """
<style>
body { overflow-x: hidden; }
.jp-Notebook, .jp-Cell, .jp-OutputArea-output { padding: 0 !important; margin: 0 !important; }
#rendered_cells { max-width: 1180px; margin: 0 auto; padding: 8px 14px 40px; }
.jp-OutputPrompt, .jp-InputPrompt, .jp-OutputArea-prompt { display: none !important; }
.widget-readout { min-width: 46px; }
.jupyter-button:focus-visible, .noUi-handle:focus-visible, select:focus-visible {
  outline: 3px solid #1a5fb4 !important; outline-offset: 1px; }
.noUi-handle { background: #1a5fb4 !important; border-color: #1a5fb4 !important; }
.widget-select-multiple > select { background: var(--jp-layout-color1); color: inherit; }
:root { --light-arrow: url("data:image/svg+xml,%3Csvg xmlns='http://www.\
w3.org/2000/svg' viewBox='0 0 18 18'%3E%3Cpath d='M5 7l4 4 4-4' fill='none' stroke='white' \
stroke-width='2'/%3E%3C/svg%3E"); }
.theme-dark .widget-dropdown > select { background-image: var(--light-arrow) !important; }
.theme-dark .noUi-handle { background: #78aeed !important; border-color: #78aeed !important; }
@media (prefers-color-scheme: dark) {
  :root:root { color-scheme: dark;
    --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-layout-color2: #424242;
    --jp-layout-color3: #616161; --jp-border-color1: #8a8a8a; --jp-border-color2: #616161;
    --jp-ui-font-color0: #fff; --jp-ui-font-color1: #e4e4e4; --jp-ui-font-color2: #bdbdbd;
    --jp-content-font-color1: #fff; --jp-error-color0: #ff8a80; }
  body { background: #111 !important; }
  .noUi-handle { background: #78aeed !important; border-color: #78aeed !important; }
  .widget-dropdown > select { background-image: var(--light-arrow) !important; }
  .jupyter-button:focus-visible, .noUi-handle:focus-visible, select:focus-visible {
    outline-color: #78aeed !important; }
}
</style>
<h1 style="font-size:22px;margin:6px 0;color:var(--jp-ui-font-color1,#1f1f1f)">dreamkit
playground</h1>
<p style="font-size:13px;margin:0;color:var(--jp-ui-font-color1,#1f1f1f)">A picture is a variable, a
network gives it a score, and we walk downhill or uphill. Choose, press Run, move a slider, and
watch the picture change. Nothing you upload is kept.</p>
"""


def source(limit, queue, runs):
    """The page's only code, for a notebook's cell."""
    arguments = f"limit={limit!r}, queue={queue!r}, runs={runs!r}"
    return f"from dreamkit.widgets.page import page\n\npage({arguments})"


def page(limit, queue, runs):
    """Show the head of the page, and return the playground without printing anything."""
    from IPython.display import HTML, display

    from . import playground

    display(HTML(HEAD))
    with contextlib.redirect_stdout(io.StringIO()):  # where the weights come from is for notebooks
        return playground(limit=limit, queue=queue, runs=runs, folder=None)
