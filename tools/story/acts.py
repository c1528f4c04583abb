"""The order of play: from a drop-off at the counter to a receipt on the maker's phone."""

import re
import uuid

from artisan import ArtisanPhone
from office import SETTLED_PAYOUT, Auditor, Clerk, Inspector
from patience import wait_until
from screens import OfficeScreens
from shopper import Shopper

MAKER = "akinyi"
RAW = "Savanna cuff, raw brass"
PLATED = "Savanna cuff, gold plated"
BROUGHT, FAILING_PIECE, PLATED_PIECES = 5, 5, 1
PRICE_TO_MAKER = 1550  # KES a piece, as in the demo's agreement
MEASURED_UM = 1.05


class Story:
    """One piece's way, told and checked.

    :param Places places: where everything runs
    :param Timeline timeline: prints and checks
    :param Browser browser: opens pages
    :param Simulator simulator: the provider
    :param Postbox postbox: phones and mailboxes
    """

    def __init__(self, places, timeline, browser, simulator, postbox):
        self.places = places
        self.line = timeline
        self.browser = browser
        self.simulator = simulator
        self.postbox = postbox

    def _staff(self, kind, login):
        return kind(self.places.odoo, login, self.places.passwords[login])

    def play(self):
        """Play every act; raises when the story can't go on."""
        self.play_until_received()
        self.tap_received()
        self.settle()
        self.prove()

    def play_until_received(self):
        """Everything up to the parcel on the shopper's table."""
        self._cast()
        self._drop_off()
        self._inspect()
        self._plate()
        self._buy()
        self._ship()
        self._replenish()

    def show_office(self):
        """Keep pictures of what the office saw of this piece."""
        screens = OfficeScreens(self.browser, self.places)
        screens.show("inspector", "soko.qc.inspection", self.inspection_id, "inspection")
        screens.show("inspector", "soko.plating.run", self.run_id, "plating")
        screens.show("manager", "soko.settlement", self.settlement_id, "settlement")
        screens.show("manager", "soko.mpesa.payout", self.payout_id, "payout")
        screens.show_apps()

    # --- before the curtain ------------------------------------------------------------------

    def _cast(self):
        self.line.act("The people")
        self.clerk = self._staff(Clerk, "clerk")
        self.inspector = self._staff(Inspector, "inspector")
        self.auditor = self._staff(Auditor, "manager")
        self.artisan = self.clerk.maker(MAKER)
        self.raw = self.clerk.product(RAW)
        self.plated = self.clerk.product(PLATED)
        self.payouts_before = len(self.simulator.payouts())
        self.messages_before = len(self.postbox.sms_to(self.artisan["phone"]))
        county = self.artisan["state_id"][1]
        self.line.tell("maker", f"{self.artisan['name']}, {county}")

    # --- in the office -----------------------------------------------------------------------

    def _drop_off(self):
        self.line.act("A drop-off at the counter")
        self.raw_before = self.clerk.sellable(self.raw)
        receipt, lines = self.clerk.take_in(self.artisan, self.raw, BROUGHT)
        self.receipt = receipt
        self.lot_id, lot_name = lines[0]["lot_id"]
        self.line.tell("clerk", f"{receipt['name']}: {BROUGHT} x {RAW}, lot {lot_name}")
        self.line.expect("lots of the drop-off", len(lines), 1)
        self.line.expect("owner of the pieces", lines[0]["owner_id"], self.artisan["partner_id"])
        self.line.expect("sellable before inspection", self._new_raw(), 0)

    def _new_raw(self):
        return self.clerk.sellable(self.raw) - self.raw_before

    def _inspect(self):
        self.line.act("Inspection")
        inspection = self.inspector.inspection_of(self.receipt["id"])
        self.inspection_id = inspection["id"]
        result = self.inspector.inspect(inspection["id"], FAILING_PIECE, "SHARP")
        accepted, rejected = result["qty_accepted"], result["qty_rejected"]
        self.line.tell(
            "inspector",
            f"{inspection['name']} by {inspection['plan_id'][1]}: "
            f"{accepted:g} accepted, {rejected:g} rejected",
        )
        self.line.expect("accepted", accepted, BROUGHT - 1)
        self.line.expect("rejected", rejected, 1)
        self.line.expect("sellable after inspection", self._new_raw(), BROUGHT - 1)
        back = self.clerk.validate(self.inspector.send_back(inspection["id"]))
        self.line.tell("clerk", f"{back['name']}: one piece goes back to {self.artisan['name']}")
        self.line.expect("return", back["state"], "done")

    def _plate(self):
        self.line.act("Gold plating")
        before = self.clerk.sellable(self.plated)
        run, production, lot = self.inspector.plate(
            self.raw, self.lot_id, PLATED_PIECES, MEASURED_UM
        )
        self.run_id = run["id"]
        self.line.tell(
            "plater",
            f"{run['name']} with {production['name']}: "
            f"{run['measured_thickness_um']:g} um measured, "
            f"{run['deposit_mass_g']:.4f} g of metal, lot {lot['name']}",
        )
        self.line.expect("run", run["state"], "done")
        self.line.expect("raw lot of the plated piece", lot["soko_origin_lot_id"][0], self.lot_id)
        self.line.expect("raw pieces sellable", self._new_raw(), BROUGHT - 1 - PLATED_PIECES)
        gained = self.clerk.sellable(self.plated) - before
        self.line.expect("plated pieces sellable", gained, PLATED_PIECES)

    # --- in Berlin ---------------------------------------------------------------------------

    def _buy(self):
        self.line.act("A shopper in Berlin")
        email = f"berta.{uuid.uuid4().hex[:8]}@example.com"
        self.shopper = Shopper(self.browser, self.places.odoo, email)
        page = self.shopper.find(PLATED)
        name = self.artisan["name"]
        self.line.expect_true(f"the product page says Made by {name}", self._made_by(page))
        number = self.shopper.buy()
        self.order = self.clerk.order(number)
        self.line.tell("shopper", f"{number}: KES {self.order['amount_total']:,.2f}, card accepted")
        self.line.expect("order", self.order["state"], "sale")

    def _made_by(self, text):
        return re.search(rf"made by\s+{self.artisan['name']}", text, re.IGNORECASE)

    def _ship(self):
        self.line.act("Shipped at once")
        [picking_id] = self.order["picking_ids"]
        self.delivery = self.clerk.validate(picking_id)
        [line] = self.clerk.shipped_lines(picking_id)
        self.line.tell("clerk", f"{self.delivery['name']}: lot {line['lot_id'][1]} left the house")
        self.line.expect("delivery", self.delivery["state"], "done")
        self.line.expect("whose piece left", line["owner_id"], self.artisan["partner_id"])
        [owed] = self.clerk.settlement_lines(picking_id)
        self.line.expect("owed to the maker, KES", owed["amount"], PRICE_TO_MAKER)
        self.line.expect("and it waits for the shopper", owed["state"], "awaiting_receipt")

    def _replenish(self):
        self.line.act("Please bring another one")
        [asked] = self.clerk.requests_after(self.delivery["id"])
        self.line.expect("asked for", asked["quantity"], 1)
        self.line.expect("of", asked["product_id"][0], self.raw["id"])
        message = self._wait_for_sms("the request on her phone", lambda text: "/my/artisan" in text)
        self.line.tell("her phone", message)
        login = MAKER
        self.phone = ArtisanPhone(
            self.browser, self.places.odoo, login, self.places.passwords[login]
        )
        self.phone.look("artisan-request")
        self.line.expect_true("she accepts on her phone", self.phone.accept_first_request())
        [asked] = self.clerk.requests_after(self.delivery["id"])
        self.line.expect("request", asked["state"], "accepted")

    def _wait_for_sms(self, what, wanted):
        def look():
            new = self.postbox.sms_to(self.artisan["phone"])[self.messages_before :]
            return next((sms["body"] for sms in new if wanted(sms["body"])), None)

        return wait_until(what, look)

    # --- the tap -----------------------------------------------------------------------------

    def tap_received(self):
        """The shopper opens the link of the e-mail and taps."""
        self.line.act("I received it")
        mail = wait_until("the e-mail with the link", self._mail_with_link)
        self.line.tell("mailbox", mail["subject"])
        said = self.shopper.say_received(self._link(mail))
        self.line.tell("shopper", "taps: I received it")
        self.line.expect_true("the page named the maker", self.artisan["name"] in said.before)
        again = self.shopper.open_again(self._link(mail))
        self.line.expect_true("a second tap is not offered", not again)

    def _mail_with_link(self):
        return next(
            (mail for mail in self.postbox.mails_to(self.shopper.email) if self._link(mail)), None
        )

    def _link(self, mail):
        return next((link for link in mail["links"] if "/shop/received/" in link), None)

    # --- the money ---------------------------------------------------------------------------

    def settle(self):
        """What the tap causes in the books."""
        self.line.act("Settled and handed over")
        owed = wait_until("the settlement", self._settled_line)
        self.settlement_id = owed["settlement_id"][0]
        settlement = wait_until("the payment of the settlement", self._with_payment)
        bill = self.auditor.bill(settlement["bill_id"][0])
        self.line.tell("books", f"{settlement['name']} -> bill {bill['name']}, self-billed")
        self.line.expect("bill", bill["state"], "posted")
        self.line.expect("amount of the bill, KES", bill["amount_total"], PRICE_TO_MAKER)

    def _settled_line(self):
        [owed] = self.clerk.settlement_lines(self.delivery["id"])
        return owed if owed["settlement_id"] else None

    def _with_payment(self):
        settlement = self.auditor.settlement(self.settlement_id)
        return settlement if settlement["payment_ids"] else None

    def waiting_payout(self):
        """Return the payout when it was tried and nothing left the house, else None."""
        payment_ids = self.auditor.settlement(self.settlement_id)["payment_ids"]
        payout = self.auditor.payout(payment_ids)
        tried = self.auditor.line_trouble(payout)
        return payout if tried and self.auditor.attempt_states(payout) == ["prepared"] else None

    def prove(self):
        """The payout ends, the books agree with the provider's, and the maker is told."""
        self.line.act("Proven")
        payment_ids = self.auditor.settlement(self.settlement_id)["payment_ids"]
        payout = wait_until("the payout's end", lambda: self._ended_payout(payment_ids), 180)
        self.payout_id = payout["id"]
        self._compare_with_provider(payout)
        settlement = wait_until("the settlement to be paid", self._paid_settlement)
        bill = self.auditor.bill(settlement["bill_id"][0])
        payment = self.auditor.payment(payout["payment_id"][0])
        self.receipt_number = payout["receipt"]
        self.line.expect("payment", payment["state"], "paid")
        self.line.expect("bill", bill["payment_state"], "paid")
        self.line.expect("left to pay on the bill", bill["amount_residual"], 0)
        self.line.expect("receipt on the bill", bill["soko_mpesa_receipt"], self.receipt_number)
        self.line.expect("receipt on the payment", payment["payment_reference"], payout["receipt"])
        self._tell_maker()

    def _ended_payout(self, payment_ids):
        payout = self.auditor.payout(payment_ids)
        return payout if payout["state"] in SETTLED_PAYOUT else None

    def _paid_settlement(self):
        settlement = self.auditor.settlement(self.settlement_id)
        return settlement if settlement["state"] == "paid" else None

    def _compare_with_provider(self, payout):
        executed = self.simulator.payouts()[self.payouts_before :]
        self.line.expect("payouts that the provider executed", len(executed), 1)
        entry = executed[0]
        self.line.tell(
            "provider",
            f"{entry['receipt']}  KES {entry['amount']}  to {entry['msisdn']}  "
            f"{entry['id']}",
        )
        self.line.expect("payout", payout["state"], "paid")
        self.line.expect("receipt", payout["receipt"], entry["receipt"])
        self.line.expect("amount sent, KES", payout["amount"], PRICE_TO_MAKER)
        self.line.expect("amount executed, KES", int(entry["amount"]), PRICE_TO_MAKER)
        self.line.expect("number paid", str(entry["msisdn"]), payout["msisdn"])
        self.line.expect("attempts", len(payout["attempt_ids"]), 1)

    def _tell_maker(self):
        self.line.act("On her phone")
        message = self._wait_for_sms(
            "the message about the payment", lambda text: self.receipt_number in text
        )
        self.line.tell("her phone", message)
        page = self.phone.look("artisan")
        self.line.expect_true("her page shows the receipt", self.receipt_number in page)
        self.line.expect("her page scrolls sideways at 320 px", self.phone.too_wide(), False)
