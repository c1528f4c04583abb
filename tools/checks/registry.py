"""All checks by name, in the order they are reported."""

from . import (
    access,
    arrows,
    leaks,
    links,
    linters,
    manifests,
    python_files,
    tests_run,
    translations,
    xml_files,
)

CHECKS = {
    "ruff": linters.ruff,
    "pylint-odoo": linters.pylint_odoo,
    "arrows": arrows.check,
    "manifests": manifests.check,
    "xml": xml_files.check,
    "access": access.check,
    "tests": tests_run.check,
    "method-length": python_files.method_length,
    "one-model-a-file": python_files.one_model_a_file,
    "sudo": python_files.sudo_has_reason,
    "leaks": leaks.check,
    "links": links.check,
    "translations": translations.check,
}
