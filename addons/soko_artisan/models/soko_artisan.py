from odoo import api, fields, models
from odoo.exceptions import UserError

from .soko_artisan_stage_mixin import OFFICER, STAGES

FIGURES = ("sold", "awaiting", "owed", "on_way", "paid")
PARTNER_KEYS = ("name", "phone", "email", "image_1920")


class SokoArtisan(models.Model):
    """A person who makes pieces for us: the partner is the identity, this is the craft."""

    _name = "soko.artisan"
    _description = "Artisan"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "soko.artisan.stage.mixin",
        "soko.artisan.capacity.mixin",
        "soko.artisan.profile.mixin",
        "soko.artisan.import.mixin",
    ]
    _order = "name, id"
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        help="The contact that owns the pieces and, unless a group is paid, receives the money. "
        "Leave it empty and give a name: a contact is made for you.",
    )
    name = fields.Char(related="partner_id.name", store=True, readonly=False, index="trigram")
    phone = fields.Char(
        related="partner_id.phone",
        readonly=False,
        help="Text messages go here. Money goes to the verified payee account, never to this.",
    )
    email = fields.Char(related="partner_id.email", readonly=False)
    lang = fields.Selection(
        related="partner_id.lang",
        readonly=False,
        string="Language",
        help="Text messages and the artisan's page are written in this language.",
    )
    image_1920 = fields.Image(related="partner_id.image_1920", readonly=False)
    image_128 = fields.Image(related="partner_id.image_128")
    avatar_128 = fields.Image(related="partner_id.avatar_128")
    ref = fields.Char(
        string="Number", readonly=True, copy=False, default="/", help="Our number of the artisan."
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    active = fields.Boolean(default=True)
    group_id = fields.Many2one(
        "soko.artisan.group",
        index="btree_not_null",
        check_company=True,
        help="The workshop, cooperative or art centre the artisan belongs to.",
    )
    state_id = fields.Many2one(
        "res.country.state",
        string="County",
        domain="[('country_id.code', '=', 'KE')]",
        help="The county of Kenya where the workshop is.",
    )
    craft_ids = fields.Many2many("soko.craft", string="Crafts")
    material_ids = fields.Many2many("soko.material", string="Materials")
    stage = fields.Selection(
        STAGES,
        required=True,
        default="applicant",
        tracking=True,
        group_expand=True,
    )
    story = fields.Html(help="Told to shoppers when the artisan agreed to be shown.")
    consent_publish = fields.Boolean(
        string="May be shown to shoppers",
        tracking=True,
        help="The artisan agreed that name, photo and story are shown in the shop.",
    )
    women_led = fields.Boolean(string="Led by a woman", groups=OFFICER)
    recruitment_channel = fields.Selection(
        [
            ("artisan", "Another artisan"),
            ("group", "Her group"),
            ("visit", "Field visit"),
            ("training", "Training"),
            ("fair", "Fair or market"),
            ("online", "Online"),
            ("other", "Other"),
        ],
        groups=OFFICER,
        help="How the artisan came to us; later we learn which way finds makers who sell.",
    )
    agreement_ids = fields.One2many("soko.agreement", "artisan_id", string="Agreements")
    agreement_count = fields.Integer(
        string="Number of agreements", compute="_compute_agreement_count"
    )

    qty_in_stock = fields.Float(
        string="In stock",
        digits="Product Unit",
        compute="_compute_qty_in_stock",
        compute_sudo=True,
        help="Pieces of the artisan that are in the house now, in any state.",
    )
    qty_sold = fields.Float(
        string="Sold",
        digits="Product Unit",
        compute="_compute_settlement_figures",
        compute_sudo=True,
        help="Pieces sent to shoppers, less those that came back.",
    )
    amount_awaiting = fields.Monetary(
        string="Waiting for the shopper",
        compute="_compute_settlement_figures",
        compute_sudo=True,
        help="Price of the pieces that are sent and that the shopper has not received yet.",
    )
    amount_owed = fields.Monetary(
        string="Owed",
        compute="_compute_settlement_figures",
        compute_sudo=True,
        help="Due to the artisan and not yet proven paid.",
    )
    amount_on_way = fields.Monetary(
        string="On the way",
        compute="_compute_settlement_figures",
        compute_sudo=True,
        help="The part of what is owed that is handed over and not yet proven to have arrived.",
    )
    amount_paid = fields.Monetary(
        string="Paid",
        compute="_compute_settlement_figures",
        compute_sudo=True,
        help="Proven paid so far.",
    )

    _partner_company_uniq = models.UniqueIndex(
        "(partner_id, company_id)", "This contact is an artisan of this company already."
    )

    # === COMPUTE METHODS === #

    @api.depends("agreement_ids")
    def _compute_agreement_count(self):
        for artisan in self:
            artisan.agreement_count = len(artisan.agreement_ids)

    def _compute_qty_in_stock(self):
        groups = self.env["stock.quant"]._read_group(
            [
                ("owner_id", "in", self.partner_id.ids),
                ("company_id", "in", self.company_id.ids),
                ("location_id.usage", "in", ("internal", "transit")),
            ],
            ["owner_id", "company_id"],
            ["quantity:sum"],
        )
        quantities = {(owner, company): quantity for owner, company, quantity in groups}
        for artisan in self:
            artisan.qty_in_stock = quantities.get((artisan.partner_id, artisan.company_id), 0)

    def _compute_settlement_figures(self):
        figures = self._get_settlement_figures()
        for artisan in self:
            values = figures.get(artisan, {})
            artisan.qty_sold = values.get("sold", 0)
            artisan.amount_awaiting = values.get("awaiting", 0)
            artisan.amount_owed = values.get("owed", 0)
            artisan.amount_on_way = values.get("on_way", 0)
            artisan.amount_paid = values.get("paid", 0)

    def _get_settlement_figures(self):
        """Return {artisan: {one value for each of FIGURES}} in one query."""
        groups = self.env["soko.settlement.line"]._read_group(
            [("artisan_id", "in", self.ids), ("state", "!=", "cancelled")],
            ["artisan_id", "state", "settlement_state"],
            ["quantity_kept:sum", "amount:sum"],
        )
        figures = {}
        for artisan, state, settlement_state, quantity, amount in groups:
            values = figures.setdefault(artisan, dict.fromkeys(FIGURES, 0))
            values["sold"] += quantity
            if state == "awaiting_receipt":
                values["awaiting"] += amount
            else:
                values["paid" if settlement_state == "paid" else "owed"] += amount
            if settlement_state == "in_payment":
                values["on_way"] += amount
        return figures

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._clean_vals(vals) for vals in vals_list]
        missing = [vals for vals in vals_list if not vals.get("partner_id")]
        partners = self.env["res.partner"].create([self._prepare_partner_vals(v) for v in missing])
        for vals, partner in zip(missing, partners, strict=True):
            vals["partner_id"] = partner.id
        for vals in vals_list:
            if vals.get("ref", "/") == "/":
                company = vals.get("company_id") or self.env.company.id
                vals["ref"] = (
                    self.env["ir.sequence"].with_company(company).next_by_code("soko.artisan")
                )
        artisans = super().create(vals_list)
        artisans.partner_id._increase_rank("supplier_rank")
        return artisans

    def write(self, vals):
        if "partner_id" in vals and not self.env.su:
            self.filtered(lambda a: a.partner_id.id != vals["partner_id"])._check_may_move()
        return super().write(vals)

    def _check_may_move(self):
        """Refuse another contact once pieces hang on this one: it owns them and is paid.

        :raise UserError: naming the artisan
        """
        # sudo: an officer may not see each lot, but must not send the money elsewhere
        lots = self.env["stock.lot"].sudo().search([("soko_artisan_id", "in", self.ids)], limit=1)
        if lots:
            raise UserError(
                self.env._(
                    "%(artisan)s has dropped pieces off: her contact owns them and receives the "
                    "money. It can't be exchanged; correct the contact itself.",
                    artisan=lots.soko_artisan_id.name,
                )
            )

    @api.model
    def _prepare_partner_vals(self, vals):
        """Return the values of the contact made for a new artisan.

        :param dict vals: the artisan's own values
        :raise UserError: without a name there is nobody to make
        """
        if not vals.get("name"):
            raise UserError(
                self.env._("An artisan needs a name, or a contact that has one. Give either.")
            )
        kenya = self.env.ref("base.ke", raise_if_not_found=False)
        return {key: vals[key] for key in PARTNER_KEYS if vals.get(key)} | {
            "state_id": vals.get("state_id"),
            "country_id": kenya.id if kenya else False,
            "lang": vals.get("lang") or self.env.lang,
        }

    # === ACTION METHODS === #

    def action_new_drop_off(self):
        """Open the drop-off wizard for this artisan."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_drop_off_action"
        )
        return action | {"context": {"default_artisan_id": self.id}}

    def action_view_stock(self):
        """Open the artisan's pieces that are in the house."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pieces of %(artisan)s", artisan=self.name),
            "res_model": "stock.quant",
            "view_mode": "list",
            "domain": [
                ("owner_id", "=", self.partner_id.id),
                ("location_id.usage", "in", ("internal", "transit")),
            ],
        }

    def action_view_settlement_lines(self):
        """Open what the artisan's sold pieces earned."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_settlement_line_action"
        )
        return action | {"domain": [("artisan_id", "=", self.id)], "context": {}}

    def action_view_settlements(self):
        """Open the payments made for the artisan's pieces."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_settlement_action"
        )
        return action | {"domain": [("line_ids.artisan_id", "=", self.id)], "context": {}}

    # === BUSINESS METHODS === #

    def _get_payee(self, payee):
        """Return the contact to pay for a piece of this artisan.

        :param payee: "artisan", "group" or False, as agreed
        """
        self.ensure_one()
        if payee == "group" and self.group_id.partner_id:
            return self.group_id.partner_id
        return self.partner_id

    def _get_running_agreement_lines(self, grace=False):
        """Return the agreement lines of these artisans that are in force today.

        :param bool grace: also of agreements that ended and still take pieces in
        """
        return self.env["soko.agreement.line"].search(
            [
                ("artisan_id", "in", self.ids),
                *self.env["soko.agreement"]._get_running_domain("agreement_id.", grace),
            ]
        )

    def _send_sms(self, body, record):
        """Queue one text message to each artisan and note it in the chatter of `record`.

        :param str body: text in the artisan's language
        :param record: document with a chatter that the message is about
        """
        for artisan in self:
            partner = artisan.partner_id
            number = partner._phone_format(fname="phone")
            message = record._message_log(
                body=self.env._("Text message to %(name)s: %(body)s", name=artisan.name, body=body)
            )
            # sudo: a stock user who ships a piece may not write text messages of her own
            self.env["sms.sms"].sudo().create(
                {
                    "number": number or partner.phone,
                    "body": body,
                    "partner_id": partner.id,
                    "mail_message_id": message.id,
                }
            )

    def _tell(self, body, record):
        """Tell each artisan by text message and, where there is an address, by e-mail.

        The e-mail waits in the queue: sent at once, it would run into the scheduled action that
        sends other mails of this moment, which then fails and leaves them lying for an hour.

        :param str body: text in the artisan's language
        :param record: document with a chatter that the message is about
        """
        for artisan in self:
            if artisan.phone:
                artisan._send_sms(body, record)
            if artisan.email:
                record.message_notify(
                    partner_ids=artisan.partner_id.ids,
                    subject=record.display_name,
                    body=body,
                    email_layout_xmlid="mail.mail_notification_light",
                    force_send=False,
                )
                # sudo: a shopper's or artisan's tap may cause the mail; it may not start jobs
                self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    # === BUSINESS METHODS - PORTAL === #

    def _get_pieces_in_office(self):
        """Return what stands in the house for this artisan, for her own page.

        :return: list of {"product", "quantity", "since"}, the oldest first
        """
        self.ensure_one()
        # sudo: portal users may not read stock; only the artisan's own pieces are counted
        groups = self.env["stock.quant"].sudo()._read_group(
            [
                ("owner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("location_id.usage", "in", ("internal", "transit")),
                ("quantity", ">", 0),  # an emptied lot keeps a line of nothing for a while
            ],
            ["product_id", "lot_id"],
            ["quantity:sum", "in_date:min"],
        )
        pieces = {}
        for product, lot, quantity, in_date in groups:
            since = lot.soko_drop_off_date or in_date.date()
            row = pieces.setdefault(
                product, {"product": product.name, "quantity": 0, "since": since}
            )
            row["quantity"] += quantity
            row["since"] = min(row["since"], since)
        return sorted(pieces.values(), key=lambda row: row["since"])

    def _get_last_drop_offs(self, limit=5):
        """Return the artisan's last drop-offs: list of {"date", "product", "quantity", "lot"}."""
        self.ensure_one()
        # sudo: portal users may not read stock; only the artisan's own drop-offs are read
        lines = self.env["stock.move.line"].sudo().search(
            [
                ("picking_id.soko_artisan_id", "=", self.id),
                ("picking_id.picking_type_id.soko_is_drop_off", "=", True),
                ("state", "=", "done"),
            ],
            order="id desc",
            limit=limit,
        )
        return [
            {
                "date": line.lot_id.soko_drop_off_date or line.date.date(),
                "product": line.product_id.name,
                "quantity": line.quantity,
                "lot": line.lot_id.name,
            }
            for line in lines
        ]

    def _get_last_payments(self, limit=10):
        """Return the payments for the artisan's pieces, also those that went to her group.

        :return: list of {"date", "amount", "state", "receipt", "payee"}; the amount is that of
            her own pieces only
        """
        self.ensure_one()
        # sudo: a settlement of her group holds other members' money; only her lines are summed
        settlements = self.env["soko.settlement"].sudo().search(
            [("line_ids.artisan_id", "=", self.id), ("state", "in", ("in_payment", "paid"))],
            limit=limit,
        )
        return [
            {
                "date": settlement.date_paid or settlement.date,
                "amount": sum(
                    settlement.line_ids.filtered(lambda li: li.artisan_id == self).mapped("amount")
                ),
                "state": settlement.state,
                "receipt": settlement.payment_reference or settlement.name,
                "payee": settlement.payee_id.name,
            }
            for settlement in settlements
        ]
