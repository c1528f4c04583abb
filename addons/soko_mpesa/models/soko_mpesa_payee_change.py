from odoo import api, fields, models

HOW = [
    ("old_number", "Call to the payee's old number"),
    ("in_person", "In person, with ID"),
    ("signed_form", "Signed form"),
    ("other", "Another way"),
]


class SokoMpesaPayeeChange(models.Model):
    """What happened to the numbers of payees: who, when, from which number to which.

    A trigger refuses to change or delete a row. Only a merge of contacts may point rows to the
    contact that is left; the names and numbers that were written stay.
    """

    _name = "soko.mpesa.payee.change"
    _description = "M-Pesa number history"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "id desc"
    _rec_name = "event"
    _allow_sudo_commands = False

    partner_id = fields.Many2one(
        "res.partner", string="Payee", required=True, readonly=True, index=True,
        ondelete="restrict",
    )
    partner_name = fields.Char(
        string="Payee's name then", required=True, readonly=True,
        help="As it was when this happened.",
    )
    # empty when a merge of contacts removed a double
    partner_bank_id = fields.Many2one(
        "res.partner.bank", string="M-Pesa number", readonly=True, index=True,
        ondelete="set null",
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    event = fields.Selection(
        [
            ("entered", "Entered"),
            ("changed", "Changed"),
            ("verified", "Verified"),
            ("distrusted", "Trust taken away"),
            ("warned", "Name warning"),
            ("cleared", "Name warning cleared"),
            ("archived", "Archived"),
            ("restored", "Taken from the archive"),
            ("merged", "Contacts merged"),
        ],
        required=True, readonly=True, index=True,
    )
    old_number = fields.Char(
        readonly=True, help="The number before; for a verification the one that it replaces.",
    )
    number = fields.Char(readonly=True)
    registered_name = fields.Char(readonly=True)
    how = fields.Selection(HOW, string="Confirmed by", readonly=True)
    note = fields.Text(readonly=True)
    document_id = fields.Many2one(
        "ir.attachment", readonly=True, ondelete="restrict",
        help="The signed form or another proof, if one was kept.",
    )
    user_id = fields.Many2one(
        "res.users", string="Who", required=True, readonly=True, ondelete="restrict",
    )
    changed_at = fields.Datetime(
        string="When", required=True, readonly=True, help="By the clock of the database.",
    )

    def init(self):
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_payee_change_guard() RETURNS trigger AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND current_setting('soko_mpesa.merging', true) = 'on' THEN
                    IF to_jsonb(NEW) - 'partner_id' - 'partner_bank_id'
                        = to_jsonb(OLD) - 'partner_id' - 'partner_bank_id' THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION 'The history of M-Pesa numbers is append-only';
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_payee_change_guard ON soko_mpesa_payee_change;
            CREATE TRIGGER soko_mpesa_payee_change_guard BEFORE UPDATE OR DELETE
                ON soko_mpesa_payee_change FOR EACH ROW
                EXECUTE FUNCTION soko_mpesa_payee_change_guard();
            DROP TRIGGER IF EXISTS soko_mpesa_payee_change_whole ON soko_mpesa_payee_change;
            CREATE TRIGGER soko_mpesa_payee_change_whole BEFORE TRUNCATE
                ON soko_mpesa_payee_change FOR EACH STATEMENT
                EXECUTE FUNCTION soko_mpesa_payee_change_guard();
        """)

    @api.model
    def _add(self, events):
        """Keep what happened.

        :param list events: dicts with ``bank``, ``event`` and perhaps other fields; ``document``
            is a base64 file with a ``document_name``
        :rtype: soko.mpesa.payee.change
        """
        # sudo: nobody may write history by hand; this method is private
        changes = self.sudo()
        rows = changes.create([changes._prepare_row(dict(event)) for event in events])
        for row in rows.filtered("document_id"):
            row.document_id.res_id = row.id
        return rows

    def _prepare_row(self, event):
        bank = event.pop("bank").sudo()  # sudo: read only, by the private method above
        document, name = event.pop("document", None), event.pop("document_name", None)
        if document:
            event["document_id"] = self.env["ir.attachment"].create({
                "name": name or self.env._("Confirmation"), "datas": document,
                "res_model": self._name,
            }).id
        return {
            "partner_id": bank.partner_id.id,
            "partner_name": bank.partner_id.display_name or "-",
            "partner_bank_id": bank.id,
            "company_id": bank.company_id.id,
            "user_id": self.env.uid,
            "changed_at": self.env.cr.now(),
            **{name: value or False for name, value in event.items()},
        }

    @api.model
    def _get_last_verified(self, payees):
        """Return the number of each payee that was verified last.

        :param payees: res.partner
        :return: {id of the payee: number}; payees who never had one are missing
        :rtype: dict
        """
        if not payees.ids:
            return {}
        self.flush_model(["partner_id", "event", "number"])
        self.env.cr.execute("""
            SELECT DISTINCT ON (partner_id) partner_id, number
              FROM soko_mpesa_payee_change
             WHERE partner_id = ANY(%s) AND event = 'verified'
          ORDER BY partner_id, id DESC
        """, [payees.ids])
        return dict(self.env.cr.fetchall())

    @api.model
    def _allow_moving(self, allowed):
        """Let the rest of this transaction point rows to another contact, or not any more."""
        self.env.cr.execute(
            "SELECT set_config('soko_mpesa.merging', %s, true)", ["on" if allowed else "off"])
