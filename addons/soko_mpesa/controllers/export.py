import json

from werkzeug.datastructures import FileStorage

from odoo import http
from odoo.http import request

from odoo.addons.web.controllers.export import ExcelExport, GroupExportXlsxWriter
from odoo.addons.web.controllers.pivot import TableExporter

from ..tools.cells import guard


def is_ours(model):
    """Whether the cells of `model`, by name, are guarded."""
    return model in request.env and hasattr(request.env[model], "_soko_mpesa_guards_cells")


class GuardedWriter(GroupExportXlsxWriter):
    """Writes the headings of groups as text; the cells below them are guarded already."""

    def _write_group_header(self, row, column, label, group, group_depth=0):
        return super()._write_group_header(row, column, guard(label), group, group_depth)


class SokoExcelExport(ExcelExport):
    def from_group_data(self, fields, columns_headers, groups):
        """Guard the headings of groups of our models, too: they are values of a field."""
        if not is_ours(groups._model._name):
            return super().from_group_data(fields, columns_headers, groups)
        with GuardedWriter(fields, columns_headers, groups.count) as writer:
            row, column = 1, 0
            for name, group in groups.children.items():
                row, column = writer.write_group(row, column, name, group)
        return writer.value


class SokoTableExporter(TableExporter):
    @http.route()
    def export_xlsx(self, data, **kw):
        """Guard the headings of a pivot table of our models."""
        table = json.load(data) if isinstance(data, FileStorage) else json.loads(data)
        if table and is_ours(table.get("model")):
            headings = [*table["rows"], *(cell for row in table["col_group_headers"]
                                          for cell in row)]
            for heading in headings:
                heading["title"] = guard(heading["title"])
        return super().export_xlsx(json.dumps(table), **kw)
