import base64

from odoo import fields, models
from odoo.exceptions import UserError

from ..tools import readings


class SokoPlatingImport(models.TransientModel):
    """Take an instrument's file over into a run: all of it or nothing."""

    _name = "soko.plating.import"
    _description = "Import Readings"

    run_id = fields.Many2one("soko.plating.run", required=True, readonly=True)
    kind = fields.Selection(
        [("rectifier", "Rectifier's log"), ("thickness", "Thickness gauge (XRF)")],
        required=True,
        default="thickness",
    )
    file = fields.Binary(required=True, attachment=False)
    filename = fields.Char()

    def action_import(self):
        """Read the file.

        :raises UserError: with the line, when the file can't be read without a guess or names a
            lot that is not on the run
        """
        self.ensure_one()
        self.run_id.check_access("write")
        content = base64.b64decode(self.file)
        try:
            if self.kind == "rectifier":
                self._apply_rectifier(readings.read_rectifier(content))
            else:
                self._apply_thickness(readings.read_thickness(content))
        except readings.ReadingError as error:
            raise UserError(self._get_message(error)) from error
        self.run_id.message_post(
            body=self.env._("Readings taken from %s.", self.filename or self.env._("a file")),
            attachments=[(self.filename or "readings.csv", content)],
        )
        return {"type": "ir.actions.act_window_close"}

    def _apply_rectifier(self, log):
        self.run_id.write(
            {
                "current_a": log.current_a,
                "volts": log.volts,
                "minutes": log.minutes,
                "rectifier_ah": log.ampere_hours,
            }
        )

    def _apply_thickness(self, found):
        workorders = self._get_workorders_by_name()
        vals_list, pieces = [], {}
        for reading in found:
            workorder = self.env["mrp.workorder"]
            if reading.lot:
                workorder = workorders.get(reading.lot.lower(), workorder)
                if not workorder:
                    raise UserError(
                        self.env._(
                            "%(lot)s is not on %(run)s. Nothing was taken over. The column 'lot' "
                            "names a raw lot, a plated lot or a manufacturing order of this run.",
                            lot=reading.lot,
                            run=self.run_id.name,
                        )
                    )
            # The same place again means the next piece.
            key = (workorder.id, reading.place)
            pieces[key] = pieces.get(key, 0) + 1
            vals_list.append(
                {
                    "run_id": self.run_id.id,
                    "workorder_id": workorder.id,
                    "piece": pieces[key],
                    "place": reading.place,
                    "thickness_um": reading.thickness_um,
                }
            )
        self.env["soko.plating.reading"].create(vals_list)

    def _get_workorders_by_name(self):
        names = {}
        for workorder in self.run_id.workorder_ids:
            production = workorder.production_id
            lots = production.lot_producing_ids | production._soko_get_piece_lines().lot_id
            for name in [production.name, *lots.mapped("name")]:
                names[name.lower()] = workorder
        return names

    def _get_message(self, error):
        texts = {
            "empty": self.env._("there are no readings in it."),
            "encoding": self.env._("it is no text file. Export it as CSV."),
            "columns": self.env._("the column %s is missing.", error.detail),
            "number": self.env._("'%s' is not a number.", error.detail),
            "order": self.env._("the times must not run backwards (%s).", error.detail),
            "ambiguous": self.env._(
                "'%s' could be read in two ways. With decimal commas, separate the columns by "
                "semicolons, and leave out thousands separators.",
                error.detail,
            ),
            "negative": self.env._(
                "%s is negative. Check how the instrument is connected.", error.detail
            ),
            "long": self.env._("it has more than %s lines.", error.detail),
        }
        return self.env._(
            "The file was not taken over, line %(line)s: %(text)s",
            line=error.line or "-",
            text=texts[error.code],
        )
