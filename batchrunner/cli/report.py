"""The command ``report``: write a folder's report.html anew, from the ledger as it is now."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from ..causes import Address
from ..errors import Exit
from ..files.disk import disk_errors_named
from ..folder.folder import Folder
from ..folder.reading import reading
from ..outputs.report import NAME, write_report
from ..service import base_url_to_name
from ..storing.presigning import Presigner
from .options import folder_argument, option, presign_option


@click.command()
@folder_argument
@option("--open", "show", is_flag=True, help="Open the page in the browser, too.")
@presign_option
def report(folder: Path, show: bool, presign: float | None) -> int:
    """Write DIR/report.html anew: one page to open from disk; works while a run is writing."""
    path = folder / NAME
    with reading(Folder(folder)) as store, disk_errors_named():
        signer = None if presign is None else Presigner(presign)
        address = Address(folder=folder, base_url=base_url_to_name(store))
        write_report(store, path, address, sign=signer.address_of if signer else None)
    click.echo(str(path))
    if show:
        webbrowser.open(path.absolute().as_uri())
    return int(Exit.OK)
