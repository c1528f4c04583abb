from contextlib import contextmanager
from unittest.mock import patch

import requests

from odoo import Command
from odoo.tests import Form, TransactionCase, new_test_user, tagged

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

GATEWAY = "http://sms.example.test/send"


@tagged("post_install", "-at_install")
class ArtisanCase(TransactionCase, CronMixinCase):
    """Artisans, products and agreements made by hand: nothing of the demo data is needed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.company = cls.env.company
        cls.company.soko_default_hold_days = 0
        cls.company.soko_auto_pay = False
        cls.company.soko_allow_unsigned = True
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        cls.category = cls.env["product.category"].create(
            {
                "name": "Consigned",
                "property_cost_method": "standard",
                "property_valuation": "periodic",
            }
        )
        cls.cuff = cls._create_product("Cuff, raw brass")
        cls.amina = cls._create_artisan("Amina Mfano", "254700000001")
        cls.baraka = cls._create_artisan("Baraka Mfano", "254700000002")
        cls.shopper = cls.env["res.partner"].create({"name": "Shopper Mfano"})
        cls.officer = cls._create_user("officer", "soko_artisan.soko_artisan_group_user")
        cls.manager = cls._create_user("manager", "soko_artisan.soko_artisan_group_manager")

    # === FACTORIES === #

    @classmethod
    def _create_user(cls, login, groups, **values):
        return new_test_user(cls.env, f"soko_{login}", groups, company_id=cls.company.id, **values)

    @classmethod
    def _create_product(cls, name, **values):
        return cls.env["product.product"].create(
            {
                "name": name,
                "is_storable": True,
                "tracking": "lot",
                "categ_id": cls.category.id,
                "standard_price": 0,
                "list_price": 1500,
                "taxes_id": [Command.clear()],
                "soko_consigned": True,
                **values,
            }
        )

    @classmethod
    def _create_artisan(cls, name, phone=False, **values):
        return cls.env["soko.artisan"].create(
            {"name": name, "phone": phone, "stage": "active", **values}
        )

    @classmethod
    def _create_agreement(cls, artisan, product=None, active=True, line=None, **values):
        agreement = cls.env["soko.agreement"].create(
            {
                "artisan_id": artisan.id,
                "line_ids": [
                    Command.create(
                        {
                            "product_id": (product or cls.cuff).id,
                            "price_type": "fixed",
                            "price_fixed": 350,
                            **(line or {}),
                        }
                    )
                ],
                **values,
            }
        )
        if active:
            agreement.action_activate()
        return agreement

    @classmethod
    def _drop_off(cls, artisan, quantity, product=None, user=None, lines=None):
        """Drop pieces off and return the receipt."""
        wizard = (
            cls.env["soko.drop.off"]
            .with_user(user or cls.env.user)
            .create(
                {
                    "artisan_id": artisan.id,
                    "line_ids": [Command.clear()]
                    + [
                        Command.create({"product_id": pr.id, "quantity": qty})
                        for pr, qty in lines or [(product or cls.cuff, quantity)]
                    ],
                }
            )
        )
        return cls.env["stock.picking"].browse(wizard.action_confirm()["res_id"])

    @classmethod
    def _order(cls, quantity, product=None, price=1500, **values):
        """Sell pieces on a confirmed order and return it; its delivery is reserved."""
        order = cls.env["sale.order"].create(
            {
                "partner_id": cls.shopper.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": (product or cls.cuff).id,
                            "product_uom_qty": quantity,
                            "price_unit": price,
                            **values,
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        return order

    @classmethod
    def _ship(cls, order):
        """Validate the delivery of an order and return it."""
        picking = order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))
        picking.move_ids.picked = True
        picking._action_done()
        return picking

    @classmethod
    def _sell(cls, quantity, **values):
        return cls._ship(cls._order(quantity, **values))

    @classmethod
    def _return(cls, picking, quantity):
        """Let the shopper send pieces back; return the done receipt."""
        form = Form(
            cls.env["stock.return.picking"].with_context(
                active_id=picking.id, active_ids=picking.ids, active_model="stock.picking"
            )
        )
        wizard = form.save()
        wizard.product_return_moves.quantity = quantity
        back = cls.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        back.action_assign()
        back.move_ids.picked = True
        back._action_done()
        return back

    # === FIGURES === #

    @classmethod
    def _stock_of(cls, artisan, product=None):
        quants = cls.env["stock.quant"].search(
            [
                ("owner_id", "=", artisan.partner_id.id),
                ("product_id", "=", (product or cls.cuff).id),
                ("location_id.usage", "=", "internal"),
            ]
        )
        return sum(quants.mapped("quantity"))

    @classmethod
    def _lines_of(cls, picking):
        return cls.env["soko.settlement.line"].search([("picking_id", "=", picking.id)])

    @classmethod
    def _settle_received(cls, picking):
        """The shopper receives the parcel and the due lines are settled."""
        picking._soko_mark_received("shopper")
        settlements = cls._lines_of(picking)._settle()
        for settlement in settlements:
            settlement._process()
        return settlements

    @classmethod
    def _pay(cls, settlement):
        """Pay the bill by hand, in the plainest way Odoo has."""
        return (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=settlement.bill_id.ids)
            .create({})
            ._create_payments()
        )

    @classmethod
    def _sms_to(cls, artisan):
        return cls.env["sms.sms"].search([("partner_id", "=", artisan.partner_id.id)])


class FakeGateway:
    """Answers instead of the SMS gateway and keeps what it was asked."""

    def __init__(self, status=200):
        self.status = status
        self.requests = []

    def post(self, _session, url, json, timeout):
        self.requests.append((url, json, timeout))
        if self.status is None:
            raise requests.exceptions.ConnectionError("nobody there")
        response = requests.Response()
        response.status_code = self.status
        return response


@contextmanager
def fake_gateway(status=200):
    """Let nothing out: give every request of the gateway class a canned answer."""
    gateway = FakeGateway(status)

    def post(session, url, json=None, timeout=None):
        return gateway.post(session, url, json, timeout)

    with patch.object(requests.Session, "post", post):
        yield gateway
