"""Bring a spreadsheet into Odoo by Odoo's own import, as a person would in the browser.

Nothing here knows the demo: a sheet is a CSV file whose first line has Odoo's field names.
"""

import base64
import csv
from pathlib import Path

OPTIONS = {
    "has_headers": True,
    "quoting": '"',
    "separator": ",",
    "encoding": "utf-8",
    "float_thousand_separator": "",
    "float_decimal_separator": ".",
    "date_format": "%Y-%m-%d",
    "datetime_format": "",
    "advanced": True,
}
HEADER_LINES = 1
# A column that is no field: left unmapped on import, its pictures are put on the records after it.
PORTRAIT = "portrait"


class SheetError(Exception):
    """A sheet that Odoo refused: the text names the file, the row and Odoo's own reason."""


def import_sheet(env, path, model, images=None):
    """Import a spreadsheet with the rights of the environment's user.

    All rows or none: Odoo takes nothing of a sheet that has one wrong row.

    :param env: Odoo environment
    :param path: the CSV file
    :param str model: model of its rows
    :param images: folder of the files named in image columns
    :return: the imported records, in the order of the sheet
    :raises SheetError: with Odoo's messages, each with its row as a spreadsheet numbers it
    """
    path = Path(path)
    env = env(context=dict(env.context, no_reset_password=True, tracking_disable=True))
    wizard = env["base_import.import"].create(
        {
            "res_model": model,
            "file": path.read_bytes(),
            "file_name": path.name,
            "file_type": "text/csv",
        }
    )
    preview = wizard.parse_preview(dict(OPTIONS))
    if "error" in preview:
        raise SheetError(f"{path.name}: {preview['error']}")
    header = preview["headers"]
    fields = [False if name == PORTRAIT else name for name in header]
    result = wizard.execute_import(fields, header, dict(OPTIONS))
    errors = [message for message in result["messages"] if message.get("type") == "error"]
    if errors or not result.get("ids"):
        lines = [describe(path, message) for message in result["messages"]]
        raise SheetError("\n".join(lines) or f"{path.name}: nothing was imported")
    records = env[model].browse(result["ids"])
    names = dict(result.get("binary_filenames") or {})
    if PORTRAIT in header:
        names["image_1920"] = [row[PORTRAIT] for row in read_rows(path)]
    _put_images(records, names, images)
    return records


def describe(path, message):
    """Return one of Odoo's messages as a line that names file, row, column and value."""
    row = message.get("rows", {}).get("from")
    if row is None and message.get("field_path"):
        row = _first_without_number(path, "/".join(message["field_path"]))
    where = path.name if row is None else f"{path.name}, row {row + 1 + HEADER_LINES}"
    field = message.get("field_name") or message.get("field") or ""
    return f"{where}: {message['message']}" + (f" [{field}]" if field else "")


def _first_without_number(path, column):
    """Return the place of the first row whose cell is no number: Odoo names only the column."""
    for place, row in enumerate(read_rows(path)):
        try:
            float(row.get(column) or 0)
        except ValueError:
            return place
    return None


def _put_images(records, names, folder):
    """Upload the files that the sheet names, as the import page does after the rows."""
    for field, files in names.items():
        for record, file in zip(records, files, strict=True):
            if file:
                data = (Path(folder) / file).read_bytes()
                record[field] = base64.b64encode(data)


def read_rows(path):
    """Return the rows of a sheet as dictionaries."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
