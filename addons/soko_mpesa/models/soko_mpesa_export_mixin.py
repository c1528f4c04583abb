from odoo import models

from ..tools.cells import guard


class SokoMpesaExportMixin(models.AbstractModel):
    """What a stranger wrote is exported as text that no spreadsheet calculates.

    Odoo's CSV export guards cells that begin with ``=``, ``+`` and ``-``, its XLSX export none.
    A payee's name, M-Pesa's answers and the rows of a statement come from outside, so the models
    that keep them guard the rest; see tools/cells.py.
    """

    _name = "soko.mpesa.export.mixin"
    _description = "M-Pesa: cells of an export"

    _soko_mpesa_guards_cells = True  # the controllers look for it

    def _export_rows(self, fields, *, _is_toplevel_call=True):
        """Guard each cell; also of those that are exported by way of another model."""
        rows = super()._export_rows(fields, _is_toplevel_call=_is_toplevel_call)
        return [[guard(cell) for cell in row] for row in rows]
