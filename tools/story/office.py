"""The people of the Nairobi office, each with her own login and no more rights than that."""

from web_client import WebClient

# What an M-Pesa payment is proven by: the states in which nothing more will happen by itself.
SETTLED_PAYOUT = ("paid", "failed", "exception")


class Clerk(WebClient):
    """Takes pieces in, ships orders, and looks things up."""

    def maker(self, login):
        """Return the artisan behind a portal login."""
        [partner] = self.find("res.users", [("login", "=", login)], ["partner_id"])
        return self.one(
            "soko.artisan",
            [("partner_id", "=", partner["partner_id"][0])],
            ["name", "phone", "partner_id", "state_id"],
        )

    def product(self, name):
        """Return the product of that name."""
        return self.one("product.product", [("name", "=", name)], ["name", "product_tmpl_id"])

    def take_in(self, artisan, product, quantity):
        """Drop-off: artisan, product, count. Return the receipt with its one lot."""
        wizard = self.create(
            "soko.drop.off",
            artisan_id=artisan["id"],
            line_ids=[(0, 0, {"product_id": product["id"], "quantity": quantity})],
        )
        action = self.call("soko.drop.off", "action_confirm", [wizard])
        receipt = self.read("stock.picking", action["res_id"], ["name", "state", "owner_id"])
        lines = self.find(
            "stock.move.line",
            [("picking_id", "=", receipt["id"])],
            ["lot_id", "quantity", "owner_id"],
        )
        return receipt, lines

    def validate(self, picking_id):
        """Press Validate on a transfer."""
        self.call("stock.picking", "action_assign", [picking_id])
        answer = self.call("stock.picking", "button_validate", [picking_id])
        if isinstance(answer, dict) and answer.get("res_model"):
            raise RuntimeError(f"Validate asked a question instead: {answer['res_model']}")
        return self.read("stock.picking", picking_id, ["name", "state"])

    def sellable(self, product):
        """Return how many pieces of a product can be sold now."""
        return self.read("product.product", product["id"], ["free_qty"])["free_qty"]

    def order(self, number):
        """Return a sales order and its deliveries."""
        return self.one(
            "sale.order", [("name", "=", number)], ["name", "amount_total", "state", "picking_ids"]
        )

    def shipped_lines(self, picking_id):
        """Return what left the house, with its lot and owner."""
        return self.find(
            "stock.move.line",
            [("picking_id", "=", picking_id)],
            ["lot_id", "owner_id", "quantity", "product_id"],
        )

    def requests_after(self, picking_id):
        """Return the requests to replenish that a delivery caused."""
        return self.find(
            "soko.replenishment",
            [("picking_id", "=", picking_id)],
            ["name", "product_id", "quantity", "state"],
        )

    def settlement_lines(self, picking_id):
        """Return what is owed for a delivery."""
        return self.find(
            "soko.settlement.line",
            [("picking_id", "=", picking_id)],
            ["amount", "quantity", "state", "artisan_id", "settlement_id", "due_date"],
        )

    def pieces(self, lot_id):
        """Return {location: pieces} of a lot inside the house."""
        quants = self.find(
            "stock.quant",
            [("lot_id", "=", lot_id), ("location_id.usage", "=", "internal")],
            ["location_id", "quantity", "owner_id"],
        )
        return {quant["location_id"][1]: quant["quantity"] for quant in quants if quant["quantity"]}


class Inspector(WebClient):
    """Looks at every piece, and plates the good ones."""

    def inspection_of(self, receipt_id):
        """Return the inspection that the receipt caused."""
        return self.one(
            "soko.qc.inspection",
            [("picking_id", "=", receipt_id)],
            ["name", "state", "plan_id", "quantity", "lot_id"],
        )

    def inspect(self, inspection_id, failing_piece, defect_code):
        """Pass every piece but one, which fails for a reason; return the decision."""
        self.call("soko.qc.inspection", "action_start", [inspection_id])
        readings = self.find(
            "soko.qc.inspection.result",
            [("inspection_id", "=", inspection_id)],
            ["type", "lower", "upper", "piece_number", "piece_id"],
        )
        for reading in readings:
            if reading["type"] == "measure":
                middle = (reading["lower"] + reading["upper"]) / 2
                self.call("soko.qc.inspection.result", "write", [reading["id"]], {"value": middle})
        self._fail(readings, failing_piece, defect_code)
        self.call("soko.qc.inspection", "action_all_pass", [inspection_id])
        self.call("soko.qc.inspection", "action_done", [inspection_id])
        return self.read(
            "soko.qc.inspection",
            inspection_id,
            ["state", "qty_accepted", "qty_rejected", "decision"],
        )

    def _fail(self, readings, number, defect_code):
        looks = [r for r in readings if r["piece_number"] == number and r["type"] != "measure"]
        self.call("soko.qc.inspection.result", "write", [looks[0]["id"]], {"verdict": "fail"})
        defect = self.one("soko.qc.defect", [("code", "=", defect_code)], ["name"])
        self.call(
            "soko.qc.inspection.piece",
            "write",
            [looks[0]["piece_id"][0]],
            {"defect_ids": [(4, defect["id"])], "note": "Open end, would catch on a sleeve."},
        )

    def send_back(self, inspection_id):
        """Prepare the return of the rejected pieces; return the transfer's id."""
        action = self.call("soko.qc.inspection", "action_return_rejected", [inspection_id])
        return action["res_id"]

    def plate(self, product, lot_id, quantity, measured_um):
        """Plate some pieces of a lot in a small run; return the run and the plated lot."""
        order = self.create(
            "soko.plating.order", product_id=product["id"], lot_id=lot_id, quantity=quantity
        )
        run_id = self.call("soko.plating.order", "action_confirm", [order])["res_id"]
        self._do_steps_before(run_id)
        planned = self.read(
            "soko.plating.run", run_id, ["suggested_current_a", "suggested_minutes"]
        )
        self.call(
            "soko.plating.run",
            "write",
            [run_id],
            {"current_a": planned["suggested_current_a"], "minutes": planned["suggested_minutes"]},
        )
        self.call("soko.plating.run", "action_start", [run_id])
        self.call(
            "soko.plating.run", "write", [run_id], {"measured_thickness_um": measured_um}
        )
        self.call("soko.plating.run", "action_finish", [run_id])
        return self._finish(run_id)

    def _do_steps_before(self, run_id):
        """Finish polish and cleaning, which come before the bath."""
        run = self.read("soko.plating.run", run_id, ["production_ids"])
        for order in self._workorders(run):
            if order["soko_plating_run_id"]:
                return
            self.call("mrp.workorder", "button_start", [order["id"]])
            self.call("mrp.workorder", "button_finish", [order["id"]])

    def _workorders(self, run):
        return self.find(
            "mrp.workorder",
            [("production_id", "in", run["production_ids"])],
            ["soko_plating_run_id", "state", "name"],
            order="production_id, sequence, id",
        )

    def _finish(self, run_id):
        """Finish the steps after the bath and close the manufacturing orders."""
        fields = ["name", "state", "deposit_mass_g", "production_ids", "measured_thickness_um"]
        run = self.read("soko.plating.run", run_id, fields)
        for order in self._workorders(run):
            if order["state"] not in ("done", "cancel"):
                self.call("mrp.workorder", "button_start", [order["id"]])
                self.call("mrp.workorder", "button_finish", [order["id"]])
        fields = ["name", "state", "lot_producing_ids"]
        [production] = self.call("mrp.production", "read", run["production_ids"], fields)
        if production["state"] != "done":
            self.call("mrp.production", "button_mark_done", [production["id"]])
            [production] = self.call("mrp.production", "read", run["production_ids"], fields)
        [lot_id] = production["lot_producing_ids"]
        return run, production, self.read("stock.lot", lot_id, ["name", "soko_origin_lot_id"])


class Auditor(WebClient):
    """Follows one payment through the books, reading only."""

    def settlement(self, settlement_id):
        """Return a settlement with its bill and payments."""
        return self.read(
            "soko.settlement",
            settlement_id,
            ["name", "state", "amount_total", "bill_id", "payment_ids", "payment_reference"],
        )

    def bill(self, bill_id):
        """Return the vendor bill of a settlement."""
        return self.read(
            "account.move",
            bill_id,
            ["name", "state", "payment_state", "amount_total", "amount_residual"]
            + ["soko_mpesa_receipt"],
        )

    def payout(self, payment_ids):
        """Return the payout that a payment was handed over as."""
        return self.one(
            "soko.mpesa.payout",
            [("payment_id", "in", payment_ids)],
            ["payment_id", "partner_id", "msisdn", "amount", "state", "receipt", "attempt_ids"]
            + ["account_id"],
        )

    def attempt_states(self, payout):
        """Return the states of a payout's attempts, the first first."""
        attempts = self.call("soko.mpesa.attempt", "read", payout["attempt_ids"], ["state"])
        return [attempt["state"] for attempt in attempts]

    def line_trouble(self, payout):
        """Return what the M-Pesa account says about its line, empty when all is well."""
        return self.read("soko.mpesa.account", payout["account_id"][0], ["last_error"])[
            "last_error"
        ]

    def payment(self, payment_id):
        """Return an outbound payment."""
        return self.read(
            "account.payment",
            payment_id,
            ["name", "state", "amount", "payment_reference"],
        )
