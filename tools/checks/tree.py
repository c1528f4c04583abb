"""What every check reads: add-ons, files, syntax trees. Nothing is imported or run."""

import ast
import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

SKIPPED = {".git", ".soko", "__pycache__", ".ruff_cache", ".pytest_cache", "node_modules", ".venv"}


@dataclass(frozen=True, order=True)
class Finding:
    """One line of a report.

    :param str path: file, relative to the tree's root
    :param int line: 1-based; 0 when it is about the whole file
    :param str text: what is wrong, and what to do
    """

    path: str
    line: int
    text: str

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.text}"


class Addon:
    """One module below `addons/`, read and never imported."""

    def __init__(self, tree, path):
        self.tree, self.path, self.name = tree, path, path.name

    @functools.cached_property
    def manifest(self):
        """The manifest as a dict; empty when it can't be read (the manifests check says why)."""
        try:
            value = ast.literal_eval((self.path / "__manifest__.py").read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            return {}
        return value if isinstance(value, dict) else {}

    def files(self, *suffixes):
        """Files of this module with one of the suffixes ('.py'), sorted."""
        return [p for p in self.tree.files if p.suffix in suffixes and self.path in p.parents]

    def python(self, tests=True):
        """Python files as (path, syntax tree), the manifest left out, `tests/` if wanted."""
        for path in self.files(".py"):
            inner = path.relative_to(self.path).parts
            if path.name == "__manifest__.py" or (not tests and inner[0] == "tests"):
                continue
            module = self.tree.syntax(path)
            if module is not None:
                yield path, module


class Tree:
    """A checkout (or a small made-up one in a test).

    :param Path root: the folder that holds `addons/`
    :param only: names of the modules that findings are wanted for; None for everything
    """

    def __init__(self, root, only=None):
        self.root = Path(root).resolve()
        self.only = set(only) if only else None

    @functools.cached_property
    def files(self):
        """Every file a commit would hold, by git; without git the folder without caches."""
        found = self._git_files()
        if found is None:
            found = [
                p for p in self.root.rglob("*") if not SKIPPED & set(p.relative_to(self.root).parts)
            ]
        return sorted(p for p in found if p.is_file())

    def _git_files(self):
        if not (self.root / ".git").exists():
            return None
        cmd = [
            "git",
            "-C",
            str(self.root),
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]
        try:
            done = subprocess.run(cmd, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None  # no git here, or a checkout of another owner: the folder itself will do
        names = [n for n in done.stdout.split("\0") if n]
        return [self.root / n for n in names if not SKIPPED & set(Path(n).parts)]

    @functools.cached_property
    def addons(self):
        """name -> Addon, for each folder with a manifest; all of them, whatever `only` says."""
        manifests = sorted((self.root / "addons").glob("*/__manifest__.py"))
        return {p.parent.name: Addon(self, p.parent) for p in manifests}

    @property
    def wanted(self):
        """The Addons that findings are wanted for."""
        return [a for name, a in self.addons.items() if self.only is None or name in self.only]

    def name(self, path):
        """A path as a reader wants it: relative to the root."""
        return path.relative_to(self.root).as_posix()

    def finding(self, path, line, text):
        return Finding(self.name(path), line, text)

    def text(self, path):
        """The file's text, or None for a binary one."""
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None

    @functools.cache  # noqa: B019  (one Tree lives as long as the process)
    def syntax(self, path):
        """The syntax tree, or None when it does not parse (ruff reports that)."""
        try:
            return ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError:
            return None
