from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .committed import CommittedPlatingCase

PIECES = 2
MILLIGRAMS = 40 * PIECES * 0.5e-4 * 19.3 * 1000 / 0.5  # area x thickness x density / salt's share


@tagged("post_install", "-at_install")
class TestPlatingAtOnce(CommittedPlatingCase):
    """Two people, on real connections, take one run out of the bath: it has one effect."""

    def setUp(self):
        super().setUp()
        with self.connection() as env:
            self.run_id, self.salt_id = self._start_run(env)
            env.cr.commit()

    def _start_run(self, env):
        """A measured run in the bath that would consume salt; its id and the salt's."""
        with patch.object(type(self), "env", env):
            salt = env["product.product"].create(
                {
                    "name": "Potassium gold cyanide",
                    "is_storable": True,
                    "uom_id": env.ref("soko_qc.uom_milligram").id,
                }
            )
            self.process.with_env(env).write({"salt_product_id": salt.id, "salt_share": 0.5})
            receipt = self._create_receipt(PIECES, self.amina, self._testMethodName)
            receipt.button_validate()
            inspection = receipt.soko_inspection_ids
            inspection.action_all_pass()
            inspection.action_done()
            order = env["soko.plating.order"].create(
                {"lot_id": inspection.lot_id.id, "quantity": PIECES}
            )
            run = env["soko.plating.run"].browse(order.action_confirm()["res_id"])
        run.action_start()
        run.write({"minutes": 2, "measured_thickness_um": 0.5})
        return run.id, salt.id

    def _browse(self, env):
        return env["soko.plating.run"].browse(self.run_id)

    def _check_one_effect(self):
        with self.connection() as env:
            run = self._browse(env)
            self.assertEqual((run.state, run.production_ids.state), ("done", "done"))
            lot = run.production_ids.lot_producing_ids
            self.assertEqual((len(lot), lot.product_qty), (1, PIECES))
            moves = env["stock.move"].search([("product_id", "=", self.salt_id)])
            self.assertEqual(moves.mapped("state"), ["done"])
            self.assertAlmostEqual(
                moves.quantity + run.bath_id.unbooked_salt_g * 1000, MILLIGRAMS, 6
            )
            summaries = run.message_ids.filtered(lambda m: "g of metal" in (m.body or ""))
            self.assertEqual(len(summaries), 1)

    def test_second_comes_while_the_first_works(self):
        with self.connection(self.inspector) as one, self.connection(self.manager) as two:
            self._browse(one).action_finish()
            one.flush_all()
            with self.assertRaisesRegex(UserError, "Somebody else is working on .* at this moment"):
                self._browse(two).action_finish()
            one.cr.commit()
            two.cr.rollback()
            two.invalidate_all()
            with self.assertRaisesRegex(UserError, "somebody finished it before you"):
                self._browse(two).action_finish()
        self._check_one_effect()

    def test_second_has_seen_it_in_the_bath(self):
        """Both have it open; the database refuses the second's old view, and Odoo tries again."""
        with self.connection(self.inspector) as one, self.connection(self.manager) as two:
            second = self._browse(two)
            self.assertEqual(second.state, "progress")
            self._browse(one).action_finish()
            one.cr.commit()
            with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
                second.action_finish()
            two.cr.rollback()
            two.invalidate_all()
            with self.assertRaisesRegex(UserError, "somebody finished it before you"):
                second.action_finish()
        self._check_one_effect()

    def test_same_person_presses_twice(self):
        with self.connection(self.inspector) as env:
            self._browse(env).action_finish()
            with self.assertRaisesRegex(UserError, "Nothing was booked a second time"):
                self._browse(env).action_finish()
            env.cr.commit()
        self._check_one_effect()
