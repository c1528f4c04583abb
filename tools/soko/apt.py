"""Debian's package of Odoo 19, fetched and checked by apt in a folder of its own.

The machine's own apt is neither changed nor asked for rights. The address of the mirror is the
one that this machine already uses; no address stands here.
"""
from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

from . import paths
from .ui import Stop, last_line, must, run

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    paths.TOOLS / "keys" / "debian-archive.asc",
)
INDEX = re.compile(r"^'([^']+?/debian)/+dists/[^/']+/(?:In)?Release'", re.M)


def mirror():
    """Return the address of the Debian mirror that this machine uses."""
    named = os.environ.get("SOKO_DEBIAN_MIRROR")
    if named:
        return named.rstrip("/")
    found = INDEX.search(run(["apt-get", "update", "--print-uris"]).stdout or "")
    if not found:
        raise Stop(
            "this machine's apt has no Debian source (Ubuntu?): "
            "name a Debian mirror in SOKO_DEBIAN_MIRROR"
        )
    return found.group(1)


def sha256(path):
    """Return the SHA-256 of a file, in hexadecimal."""
    total = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            total.update(block)
    return total.hexdigest()


class Apt:
    """apt with its own lists, sources and keys."""

    def __init__(self):
        if not shutil.which("apt-get"):
            raise Stop("there is no apt on this system")
        self.folder = paths.CACHE / "apt"
        for name in ("lists/partial", "cache/archives/partial", "etc", "log", "debs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        self.architecture = must(["dpkg", "--print-architecture"], "dpkg does not answer").strip()
        self.mirror = mirror()
        self.env = None

    def settings(self, keyring):
        """Return apt's settings that keep it inside our folder."""
        here, nothing = self.folder, "/dev/null"
        return {
            "Dir::State": here,
            "Dir::State::Lists": here / "lists",
            "Dir::State::status": here / "status",
            "Dir::Cache": here / "cache",
            "Dir::Log": here / "log",
            "Dir::Etc::SourceList": self._sources(),
            "Dir::Etc::SourceParts": nothing,
            "Dir::Etc::Preferences": nothing,
            "Dir::Etc::PreferencesParts": nothing,
            "Dir::Etc::Trusted": nothing,
            "Dir::Etc::TrustedParts": self._trusted(keyring),
            "APT::Sandbox::User": "root",
            "APT::Architecture": self.architecture,
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        }

    def _sources(self):
        sources = self.folder / "etc" / "sources.list"
        sources.write_text(f"deb {self.mirror} sid main\n")
        return sources

    def _trusted(self, keyring):
        # a folder with one keyring, not signed-by: that option takes no path with a blank in it
        trusted = self.folder / "etc" / "trusted"
        paths.remove(trusted)
        trusted.mkdir()
        shutil.copyfile(str(keyring), str(trusted / keyring.name))
        return trusted

    def environment(self, keyring):
        """Write the settings and return the environment that makes apt use them."""
        lines = [f'{key} "{value}";\n' for key, value in self.settings(keyring).items()]
        lines.append(f'APT::Architectures {{ "{self.architecture}"; }};\n')
        (self.folder / "apt.conf").write_text("".join(lines))
        return dict(os.environ, APT_CONFIG=str(self.folder / "apt.conf"), LC_ALL="C")

    def update(self):
        """Fetch Debian's index and check its signature.

        :raises Stop: when it cannot be had or checked; apt only warns of both
        """
        result = None
        for keyring in KEYRINGS:
            if not keyring.exists():
                continue
            self.env = self.environment(keyring)
            result = run(["apt-get", "update", "-q"], env=self.env)
            if result.returncode == 0 and "W: " not in result.stdout:
                return
        if result is None:
            raise Stop("no Debian archive key here: apt install debian-archive-keyring")
        said = [line for line in result.stdout.splitlines() if line.startswith(("E:", "W:"))]
        why = said[0] if said else last_line(result.stdout)
        raise Stop(f"Debian's package index could not be had or checked: {why}")

    def describe(self, name):
        """Return version, SHA256 and size of a package as the signed index gives them."""
        shown = must(
            ["apt-cache", "show", "--no-all-versions", name],
            f"Debian's index has no {name}", env=self.env,
        )
        return dict(re.findall(r"^(Version|SHA256|Size): (.*)$", shown, re.M))

    def fetch(self, name):
        """Return (path, description) of a package, checked against the SHA-256 of the index.

        apt takes a file of the right size for the right file, so it loads into an empty folder
        and the hash is compared here.
        """
        about = self.describe(name)
        kept = self.folder / "debs" / f"{name}.deb"
        if kept.exists() and sha256(kept) == about["SHA256"]:
            return kept, about
        paths.need_space(self.folder, 3 * (int(about["Size"]) >> 20) + 100, f"the package {name}")
        work = self.folder / "debs" / f"{name}.part"
        result = None
        for _turn in range(3):
            paths.remove(work)
            work.mkdir()
            command = ["apt-get", "download", "-q", f"{name}={about['Version']}"]
            result = run(command, env=self.env, cwd=str(work))
            for got in work.glob("*.deb"):
                if result.returncode == 0 and sha256(got) == about["SHA256"]:
                    got.replace(kept)
                    paths.remove(work)
                    return kept, about
        paths.remove(work)
        raise Stop(f"{name} did not come down whole: {last_line(result.stdout)}")
