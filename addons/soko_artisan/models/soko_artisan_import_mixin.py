from odoo import api, models
from odoo.exceptions import UserError

from ..tools.counties import county_key


class SokoArtisanImportMixin(models.AbstractModel):
    """Artisans from a spreadsheet, by Odoo's own import, with errors that name the row's fault."""

    _name = "soko.artisan.import.mixin"
    _description = "Import of Artisans"

    @api.model
    def get_import_templates(self):
        """Return the spreadsheet that people download, fill in and import."""
        return [
            {
                "label": self.env._("Template for Artisans"),
                "template": "/soko_artisan/static/xls/artisans.xlsx",
            }
        ]

    @api.model
    def load(self, fields, data):
        """Read counties as people write them, then import as always."""
        if "state_id" in fields:
            column = fields.index("state_id")
            names = self._get_county_names()
            data = [
                [*row[:column], names.get(county_key(row[column]), row[column]), *row[column + 1 :]]
                for row in data
            ]
        result = super().load(fields, data)
        self._drop_error_of_batch(result["messages"])
        return result

    @api.model
    def _drop_error_of_batch(self, messages):
        """Take out Odoo's error of a whole batch, which blames the first row for another's fault.

        The same text stands at the row it is about. (When the first row has the very same fault as
        a later one, its error comes back when the sheet is tested again: nothing was taken.)
        """
        first = messages[0] if messages else {}
        if first.get("type") == "error" and any(
            message.get("message") == first["message"] and message["rows"] != first.get("rows")
            for message in messages[1:]
            if message.get("rows")
        ):
            del messages[0]

    @api.model
    def _get_county_names(self):
        """Return {key of a county: the name that Odoo finds exactly one county by}."""
        counties = self.env["res.country.state"].search([("country_id.code", "=", "KE")])
        return {county_key(county.name): county.display_name for county in counties}

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("import_file"):
            self._refuse_doubles(vals_list)
        return super().create(vals_list)

    @api.model
    def _refuse_doubles(self, vals_list):
        """Refuse a row whose person is there already, or stands in two rows of the sheet.

        :raise UserError: naming the row's person, the one like her, and the way out
        """
        seen = {}
        for vals in vals_list:
            if vals.get("double_checked") or not vals.get("name"):
                continue
            company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
            keys = [(company, key) for key in (vals["name"].casefold(), vals.get("phone")) if key]
            double = next((seen[key] for key in keys if key in seen), None)
            found = self._find_doubles(vals["name"], vals.get("phone"), company, self.browse())
            if found or double:
                self._raise_double(vals, found[:1].display_name or double)
            seen.update(dict.fromkeys(keys, vals["name"]))

    def _raise_double(self, vals, other):
        raise UserError(
            self.env._(
                "%(name)s (%(phone)s) has the name or phone of %(other)s, who is an artisan "
                "already. If it is another person, put True into the column No double; otherwise "
                "take the row out.",
                name=vals["name"],
                phone=vals.get("phone") or self.env._("no phone"),
                other=other,
            )
        )
