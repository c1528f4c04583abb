"""Unpacking Odoo's Debian package, and mending what it expects from other packages.

In Debian's package 41 files are links into font and JavaScript packages, and one script is left
out. ``mend`` puts real files there, so that Odoo needs nothing installed beside it.
"""
from __future__ import annotations

import contextlib
import lzma
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from . import paths
from .ui import Stop, must

# not dist-packages/addons: Debian has a half copy of the add-ons there, Python files only
INSIDE = "./usr/lib/python3/dist-packages/odoo"
FONTS = "addons/web/static/src/libs/fontawesome/fonts"
REMNANTS = ("fontawesome", "jquery.form", "underscore")
SELFIE = "addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
CONVERT = (
    "import sys; from fontTools.ttLib import TTFont; "
    "font = TTFont(sys.argv[1]); font.flavor = None; font.save(sys.argv[2])"
)


@contextlib.contextmanager
def contents(package):
    """Open the tar archive inside a .deb, in plain Python (Debian packs with xz)."""
    with open(package, "rb") as stream:
        stream.seek(8)
        head = stream.read(60)
        while not head.startswith(b"data.tar.xz"):
            size = int(head[48:58])
            stream.seek(size + (size & 1), os.SEEK_CUR)
            head = stream.read(60)
        with lzma.open(stream) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
            yield archive


def unpack_odoo(package, target, languages):
    """Unpack Odoo's Python package, without the translations of other languages.

    :param target: an empty folder; gets the folder ``odoo``
    :raises Stop: when not all of it could be unpacked
    """
    try:
        if shutil.which("dpkg-deb") and shutil.which("tar"):
            _unpack_fast(package, target)
        else:
            _unpack_plain(package, target)
    except OSError as error:
        raise Stop(f"the package could not be unpacked: {error}") from None
    for folder in (target / "odoo").glob("addons/*/i18n"):
        drop_languages(folder, languages)


def _unpack_fast(package, target):
    pack = subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE
    )
    options = ["--no-same-owner", "--strip-components=5"]
    tar = subprocess.Popen(["tar", "-x", "-C", str(target), *options, INSIDE], stdin=pack.stdout)
    pack.stdout.close()
    if tar.wait() or pack.wait():
        raise Stop("the package could not be unpacked (disk full?)")


def _unpack_plain(package, target):
    with contents(package) as archive:
        for member in archive:
            if member.name.startswith(INSIDE + "/"):
                member.name = "odoo" + member.name[len(INSIDE):]
                archive.extract(member, str(target), set_attrs=False)


def drop_languages(folder, languages):
    """Delete the translations that nobody asked for: they are two thirds of the package."""
    for entry in os.scandir(str(folder)):
        name, suffix = os.path.splitext(entry.name)
        if suffix in (".po", ".pot") and name not in languages:
            os.unlink(entry.path)


def mend(odoo, packages):
    """Make the unpacked package whole.

    :param odoo: the folder ``odoo``
    :param packages: the .deb files that hold what its links point to
    :return: {path: where it came from}, with an empty text for a link left dangling
    """
    with tempfile.TemporaryDirectory() as work:
        done = _replace_links(odoo, _files_by_name(packages, work))
    done.update(_make_icon_font(odoo))
    done.update(_put_stub(odoo))
    for name in REMNANTS:  # Debian's; Odoo 19 reads none of them
        shutil.rmtree(str(odoo / "addons/web/static/lib" / name), ignore_errors=True)
    return {path: source for path, source in done.items() if os.path.lexists(str(odoo / path))}


def _files_by_name(packages, folder):
    for package in packages:
        if shutil.which("dpkg-deb"):
            must(["dpkg-deb", "-x", package, folder], f"{package} could not be unpacked")
        else:
            with contents(package) as archive:
                for member in archive:
                    if member.isfile():
                        archive.extract(member, folder, set_attrs=False)
    found = {}
    for path in Path(folder).rglob("*"):
        if path.is_file() and not path.is_symlink():
            found.setdefault(path.name, path)
    return found


def _replace_links(odoo, files):
    done = {}
    for link in odoo.rglob("*"):
        if not link.is_symlink() or link.exists():
            continue
        source = files.get(Path(os.readlink(str(link))).name) or files.get(link.name)
        if source:
            link.unlink()
            shutil.copyfile(str(source), str(link))
        done[str(link.relative_to(odoo))] = source.name if source else ""
    return done


def _make_icon_font(odoo):
    # e-mails' icons are drawn from the .ttf; Debian's own font package has another version
    ttf = odoo / FONTS / "fontawesome-webfont.ttf"
    woff = ttf.with_suffix(".woff")
    if ttf.exists() or not woff.exists():
        return {}
    paths.remove(ttf)
    python = paths.venv_python()
    must([python, "-c", CONVERT, woff, ttf], "FontAwesome could not be converted")
    return {str(ttf.relative_to(odoo)): woff.name}


def _put_stub(odoo):
    # without it the log has an ERROR, and each back-end page a console.error: tours fail on that
    stub = odoo / SELFIE
    if stub.exists():
        return {}
    stub.parent.mkdir(parents=True, exist_ok=True)
    stub.write_text("/* not in Debian's package; only blurs the background of video calls */\n")
    return {SELFIE: "stub"}
