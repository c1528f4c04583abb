from odoo import api, fields, models
from odoo.exceptions import AccessError

READERS = (
    "soko_mpesa.soko_mpesa_group_approver", "soko_mpesa.soko_mpesa_group_manager",
)


class SokoMpesaEvidenceText(models.AbstractModel):
    """What a piece of evidence proves, in a sentence for the back office."""

    _name = "soko.mpesa.evidence.text"
    _description = "M-Pesa evidence: sentences"

    story = fields.Text(
        compute="_compute_story", string="What it proves",
        help="What was heard and what follows from it.",
    )

    @api.depends("kind", "verdict", "code", "description", "receipt", "amount", "party")
    @api.depends_context("lang")
    def _compute_story(self):
        for evidence in self:
            evidence.story = evidence._tell()

    def _tell(self):
        """Return the sentence of one piece of evidence; kinds without one are named."""
        if self.verdict == "contradiction":
            return self.env._(
                "This doesn't fit the payment (%s). It changes nothing; a person must look.",
                self._get_said())
        teller = getattr(self, f"_tell_{self.kind}", None)
        return teller() if teller else self._tell_other()

    def _tell_answer(self):
        return self.env._(
            "M-Pesa's answer to our request: %s. An answer proves nothing yet.", self._get_said())

    def _tell_query(self):
        return self.env._("We asked what became of it. The question was answered with: %s.",
                          self._get_said())

    def _tell_result(self):
        if self.verdict == "positive":
            return self.env._("M-Pesa reported by itself that it has paid %(amount)s KES to "
                              "%(party)s. This proves the payment.", **self._get_paid())
        if self.verdict == "negative":
            return self.env._("M-Pesa reported by itself that it didn't pay: %s. One such report "
                              "alone isn't believed; M-Pesa is asked.", self._get_said())
        return self.env._("M-Pesa reported something that proves neither way: %s. It is asked.",
                          self._get_said())

    def _tell_status(self):
        if self.verdict == "positive":
            return self.env._("When asked, M-Pesa said that it has paid %(amount)s KES to "
                              "%(party)s. This proves the payment.", **self._get_paid())
        if self.verdict == "negative":
            return self.env._("When asked, M-Pesa said that it didn't pay: %s.", self._get_said())
        if self.verdict == "absent":
            return self.env._("When asked, M-Pesa didn't know the payment. It may not know it "
                              "yet, so this counts only when it is said again later.")
        return self.env._("When asked, M-Pesa said nothing that proves either way: %s.",
                          self._get_said())

    def _tell_statement(self):
        if self.verdict == "positive":
            return self.env._("M-Pesa's account statement shows that %(amount)s KES went to "
                              "%(party)s. This proves the payment.", **self._get_paid())
        if self.verdict == "reversal":
            return self.env._("M-Pesa's account statement shows that the payment was taken back: "
                              "%s.", self._get_said())
        if self.verdict == "absent":
            return self.env._("A statement that covers the time of sending doesn't have the "
                              "payment. That speaks against it, but isn't believed alone.")
        return self.env._("M-Pesa's account statement says: %s.", self._get_said())

    def _tell_human(self):
        return self.env._("Two people declared what became of it: %s.", self._get_said())

    def _tell_timeout(self):
        return self.env._("M-Pesa's queue took too long. That is no failure: the payment may "
                          "still be made.")

    def _tell_lease(self):
        return self.env._("The program that sent it stopped before it noted the answer. The "
                          "request may have arrived, so it isn't sent again; M-Pesa is asked.")

    def _tell_other(self):
        labels = [
            dict(self._fields[name]._description_selection(self.env)).get(self[name], self[name])
            for name in ("kind", "verdict")
        ]
        return f"{labels[0]}: {labels[1]} ({self._get_said()})"

    def _get_said(self):
        # in the middle of a sentence
        return " ".join(filter(None, (self.code, self.description))).rstrip(". ") or "-"

    def _get_paid(self):
        return {"amount": self.amount or "-", "party": self.party or self.payout_id.msisdn}

    def action_show_raw(self):
        """Open the text as it was received.

        :raise AccessError: the user is neither approver nor manager
        """
        self.ensure_one()
        self.check_access("read")
        if not any(self.env.user.has_group(group) for group in READERS):
            raise AccessError(self.env._(
                "Only M-Pesa approvers and managers see messages as they were received."))
        return self._get_records_action(target="new", name=self.env._("As received"))
