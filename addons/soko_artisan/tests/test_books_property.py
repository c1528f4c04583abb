import random
from collections import Counter, defaultdict

from odoo import Command
from odoo.tests import tagged

from .common import ArtisanCase

STEPS = 24


@tagged("post_install", "-at_install")
class TestBooksProperty(ArtisanCase):
    """Whatever is done in whatever order: pieces, debts and the books agree after each step.

    A model in plain Python counts along: pieces of each owner, and what each is owed.
    """

    def setUp(self):
        super().setUp()
        self.artisans = [
            self._create_artisan(f"Maker {number} Mfano") for number in range(3)
        ]
        self.agreements = {
            artisan: self._create_agreement(artisan, line={"price_fixed": 100 + 10 * number})
            for number, artisan in enumerate(self.artisans)
        }
        self.pieces = Counter()  # lot -> pieces in the house
        self.earned = defaultdict(float)  # artisan -> money
        self.sold = []  # [delivery, {lot: pieces still with the shopper}]
        self.counts = []  # losses at counts: [lot, pieces not found again]

    # === STEPS === #

    def _step_drop_off(self, dice):
        artisan = dice.choice(self.artisans)
        count = dice.randint(1, 4)
        lot = self._drop_off(artisan, count).move_line_ids.lot_id
        self.pieces[lot] += count

    def _step_price(self, dice):
        line = dice.choice(list(self.agreements.values())).line_ids
        line.price_fixed = dice.randint(5, 40) * 10

    def _step_sale(self, dice):
        """An order, shipped whole or in part; what is left is shipped or given up."""
        there = int(sum(self.pieces.values()))
        if not there:
            return
        order = self._order(dice.randint(1, there))
        picking = order.picking_ids
        wanted = picking.move_ids.quantity
        if wanted > 1 and dice.random() < 0.4:
            picking.move_ids.quantity = wanted - 1
        picking.move_ids.picked = True
        picking._action_done()
        (order.picking_ids - picking).action_cancel()
        with_shopper = Counter()
        for line in picking.move_line_ids:
            self.pieces[line.lot_id] -= line.quantity
            with_shopper[line.lot_id] += line.quantity
            self._earn(line.lot_id, line.quantity)
        self.sold.append([picking, with_shopper])
        if dice.random() < 0.6:
            self._settle_received(picking)

    def _step_return(self, dice):
        open_sales = [sale for sale in self.sold if sum(sale[1].values()) > 0]
        if not open_sales:
            return
        picking, with_shopper = dice.choice(open_sales)
        back = self._return(picking, 1)
        for line in back.move_line_ids:
            with_shopper[line.lot_id] -= line.quantity
            self.pieces[line.lot_id] += line.quantity
            self._earn(line.lot_id, -line.quantity)

    def _step_scrap(self, dice):
        lot = self._pick_lot(dice)
        if not lot:
            return
        action = dice.choice(["pay", "write_off"])
        self.env["stock.scrap"].create(
            {
                "product_id": self.cuff.id,
                "lot_id": lot.id,
                "owner_id": lot.soko_artisan_id.partner_id.id,
                "scrap_qty": 1,
                "soko_decision": action,
                "soko_decision_reason": "Broken",
            }
        ).action_validate()
        self.pieces[lot] -= 1
        if action == "pay":
            self._earn(lot, 1)

    def _step_count(self, dice):
        """Count one piece too few, or find one that was missed."""
        lot = self._pick_lot(dice)
        if not lot:
            return
        missed = [entry for entry in self.counts if entry[0] == lot and entry[1] > 0]
        found = bool(missed) and dice.random() < 0.7
        quant = self.env["stock.quant"].search(
            [("lot_id", "=", lot.id), ("location_id.usage", "=", "internal")]
        )
        quant = quant.with_context(
            inventory_mode=True, soko_decision={"action": "pay", "reason": "Count"}
        )
        quant.inventory_quantity = quant.quantity + (1 if found else -1)
        quant.action_apply_inventory()
        self.pieces[lot] += 1 if found else -1
        self._earn(lot, -1 if found else 1)
        if found:
            missed[0][1] -= 1
        else:
            self.counts.append([lot, 1])

    def _step_use(self, dice):
        lot = self._pick_lot(dice)
        if not lot:
            return
        places = {
            "location_id": self.warehouse.lot_stock_id.id,
            "location_dest_id": self.cuff.property_stock_production.id,
        }
        line = {
            "product_id": self.cuff.id,
            "lot_id": lot.id,
            "owner_id": lot.soko_artisan_id.partner_id.id,
            "quantity": 1,
            **places,
        }
        self.env["stock.move"].create(
            {
                "product_id": self.cuff.id,
                "product_uom_qty": 1,
                "move_line_ids": [Command.create(line)],
                "picked": True,
                **places,
            }
        )._action_done()
        self.pieces[lot] -= 1
        self._earn(lot, 1)

    # === MODEL === #

    def _pick_lot(self, dice):
        lots = [lot for lot, count in self.pieces.items() if count > 0]
        return dice.choice(lots) if lots else None

    def _earn(self, lot, count):
        self.earned[lot.soko_artisan_id] += count * lot.soko_unit_price

    def _check_agreement(self, told):
        quants = self.env["stock.quant"].search(
            [("product_id", "=", self.cuff.id), ("location_id.usage", "=", "internal")]
        )
        stock = Counter()
        for quant in quants:
            self.assertGreaterEqual(quant.quantity, 0, told)
            if quant.lot_id.soko_artisan_id:
                self.assertEqual(quant.owner_id, quant.lot_id.soko_artisan_id.partner_id, told)
            stock[quant.lot_id] += quant.quantity
        self.assertEqual(+stock, +self.pieces, told)
        self.assertEqual(sum(quants.mapped("value")), 0, told)
        self.cuff.invalidate_recordset()
        self.assertEqual(self.cuff.total_value, 0, told)
        for artisan in self.artisans:
            lines = self.env["soko.settlement.line"].search(
                [("artisan_id", "=", artisan.id), ("state", "!=", "cancelled")]
            )
            owed = sum(lines.mapped("amount"))
            self.assertAlmostEqual(owed, self.earned[artisan], 2, msg=told)
            for settlement in lines.settlement_id:
                self.assertGreaterEqual(settlement.bill_id.amount_total, 0, told)

    def _play(self, seed):
        dice = random.Random(seed)  # noqa: S311 - the same play each time, no secret
        steps = [name for name in dir(self) if name.startswith("_step_")]
        weights = [4 if name in ("_step_drop_off", "_step_sale") else 2 for name in steps]
        told = [f"seed {seed}"]
        for name in ["_step_drop_off", *dice.choices(steps, weights, k=STEPS)]:
            told.append(name[6:])
            getattr(self, name)(dice)
            self._check_agreement(" > ".join(told))

    def test_any_order_0(self):
        self._play(0)

    def test_any_order_1(self):
        self._play(1)

    def test_any_order_2(self):
        self._play(2)

    def test_any_order_3(self):
        self._play(3)
