"""How the demo's company and its shop look: name, logo, colours, pages, payment, delivery."""

import base64
from pathlib import Path

NAME = "SOKO"
PALETTE = "generic-1"       # one of Odoo's own: terracotta on cream
FRONT_PIECES = ("cuff_mara_gold", "earrings_fan_raw", "necklace_crescent_gold", "bangle_trio")
# Parts of the header that hold nothing but sample text.
PLACEHOLDERS = ("website.header_text_element", "website.header_call_to_action")
FRONT_MAKERS = ("wanjiku", "akinyi", "otieno", "achieng", "mutiso", "naserian")


def set_company(env, company, images):
    """Name and address of the house; KES and the Kenyan chart are there already."""
    company.write(
        {
            "name": NAME,
            "logo": base64.b64encode((Path(images) / "logo.png").read_bytes()),
            "street": "Mfano House, Mfano Road",
            "city": "Nairobi",
            "zip": "00100",
            "country_id": env.ref("base.ke").id,
            "state_id": env.ref("base.state_ke_30").id,
            "phone": "+254 700 000 100",
            "email": "hello@soko.example.com",
            "website": "https://soko.example.com",
        }
    )
    company.soko_allow_unsigned = True          # the demo's agreements were signed on paper
    company.stock_text_confirmation = False     # shoppers get an e-mail, no text message
    env.ref("base.KES").position = "before"
    env.ref("base.user_admin").write({"tz": "Africa/Nairobi", "email": "admin@example.com"})


def set_taxes(env, company):
    """Sell zero-rated: nearly all parcels leave the country. Makers are not registered for VAT."""
    products = env["product.template"].search([("soko_consigned", "=", True)])
    zero = env["account.tax"].search(
        [("company_id", "=", company.id), ("type_tax_use", "=", "sale"), ("amount", "=", 0)],
        order="sequence, id", limit=1,
    )
    products.write({"taxes_id": [(6, 0, zero.ids)], "supplier_taxes_id": [(5, 0, 0)]})


def set_shop(env, company, images):
    """Make the web shop ready for a visitor: looks, pages, guests, payment and delivery."""
    website = env["website"].search([("company_id", "=", company.id)], limit=1)
    logo = base64.b64encode((Path(images) / "logo-light.png").read_bytes())
    website.write({"name": NAME, "logo": logo, "account_on_checkout": "optional",
                   "shop_ppg": 20, "shop_ppr": 4})
    env = env(context=dict(env.context, website_id=website.id))
    env["website.assets"].make_scss_customization(
        "/website/static/src/scss/options/user_values.scss",
        {"color-palettes-name": f"'{PALETTE}'"},
    )
    _write_page(env, "website.homepage", _home(env))
    _write_page(env, "website.footer_custom", FOOTER)
    _write_page(env, "website_sale.product_terms_and_conditions", TERMS)
    for xmlid in PLACEHOLDERS:
        env["website"].viewref(xmlid).active = False
    copyright_line = env["website"].viewref("website.footer_copyright_company_name")
    copyright_line.arch = copyright_line.arch.replace("Company name", NAME)
    _open_payment(env, company)
    _open_delivery(env)


def _write_page(env, xmlid, arch):
    """Change a page for this website only, as the website builder does."""
    env["website"].viewref(xmlid).write({"arch": arch})


def _open_payment(env, company):
    """Let shoppers pay with Odoo's demo provider, in test mode."""
    provider = env.ref("payment.payment_provider_demo")
    provider.write({"state": "test", "is_published": True, "company_id": company.id,
                    "allow_express_checkout": False, "allow_tokenization": False})
    if "journal_id" in provider._fields and not provider.journal_id:
        provider.journal_id = env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "bank")], limit=1
        )
    provider.payment_method_ids.active = True


def _open_delivery(env):
    """One way to send, free, to everywhere."""
    carrier = env.ref("delivery.free_delivery_carrier", raise_if_not_found=False)
    if not carrier:
        carrier = env["delivery.carrier"].search([], limit=1)
    carrier.write({"name": "Post from Nairobi, free, 8 to 12 days", "is_published": True,
                   "country_ids": [(5, 0, 0)]})


def _image(record, field):
    return f"/web/image/{record._name}/{record.id}/{field}"


def _home(env):
    """Return the front page, made of plain sections that the website builder can edit."""
    pieces = [env.ref(f"soko_demo.product_{name}") for name in FRONT_PIECES]
    makers = [env.ref(f"soko_demo.artisan_{name}") for name in FRONT_MAKERS]
    tiles = "".join(
        TILE.format(url=piece.website_url, image=_image(piece, "image_512"), name=piece.name)
        for piece in pieces
    )
    faces = "".join(
        FACE.format(url=maker.website_url, image=_image(maker, "image_512"), name=maker.name)
        for maker in makers
    )
    return HOME.format(
        tiles=tiles, faces=faces,
        piece=_image(pieces[0], "image_1024"), maker=_image(makers[0], "image_512"),
        url=makers[0].website_url, name=makers[0].name,
        shop=pieces[0].website_url, title=pieces[0].name,
    )


TILE = """
<div class="col-6 col-lg-3 pb-4">
    <a href="{url}" class="text-decoration-none text-reset">
        <img src="{image}" class="img img-fluid rounded" alt="" loading="lazy"/>
        <p class="mt-2 mb-0">{name}</p>
    </a>
</div>"""

FACE = """
<div class="col-4 col-lg-2 pb-4 text-center">
    <a href="{url}" class="text-decoration-none text-reset">
        <img src="{image}" class="img img-fluid rounded-circle" alt="" loading="lazy"/>
        <p class="mt-2 mb-0">{name}</p>
    </a>
</div>"""

HOME = """<t name="Home" t-name="website.homepage">
<t t-call="website.layout" pageName.f="homepage">
<div id="wrap" class="oe_structure">
    <section class="s_text_image o_cc o_cc2 pt64 pb64" data-snippet="s_text_image" data-name="Text - Image">
        <div class="container"><div class="row align-items-center">
            <div class="col-lg-6 pb32">
                <h1 class="display-4">Jewellery with a name behind it</h1>
                <p class="lead">Brass, horn, bone and wood, shaped by hand in Kenya. You see who made
                your piece. And when it is with you, she is paid.</p>
                <p><a href="/shop" class="btn btn-primary btn-lg me-2 mb-2">See the pieces</a>
                <a href="/makers" class="btn btn-outline-primary btn-lg mb-2">Meet the makers</a></p>
            </div>
            <div class="col-lg-6">
                <div class="row g-3 align-items-end">
                    <div class="col-8"><a href="{shop}"><img src="{piece}" class="img img-fluid rounded" alt="{title}"/></a></div>
                    <div class="col-4"><a href="{url}"><img src="{maker}" class="img img-fluid rounded-circle" alt="{name}"/></a>
                    <p class="small mb-0 mt-2 text-center">made by<br/><a href="{url}">{name}</a></p></div>
                </div>
            </div>
        </div></div>
    </section>
    <section class="s_three_columns o_cc o_cc1 pt48 pb32" data-snippet="s_three_columns" data-name="Columns">
        <div class="container"><div class="row">
            <div class="col-lg-4 pb16"><h2 class="h4">1. It is hers</h2>
                <p>A maker leaves a few pieces with us in Nairobi. They stay her property until
                somebody buys them.</p></div>
            <div class="col-lg-4 pb16"><h2 class="h4">2. It is yours</h2>
                <p>We look at every single piece, plate some of them with gold, and post yours the
                day you order.</p></div>
            <div class="col-lg-4 pb16"><h2 class="h4">3. She is paid</h2>
                <p>You tap "I received it". The money is on her phone, and she knows which piece
                to make next.</p></div>
        </div></div>
    </section>
    <section class="s_text_block o_cc o_cc1 pt32 pb32" data-snippet="s_text_block" data-name="Pieces">
        <div class="container"><h2 class="h3 mb-3">From the workshops</h2><div class="row">{tiles}</div></div>
    </section>
    <section class="s_text_block o_cc o_cc3 pt48 pb32" data-snippet="s_text_block" data-name="Makers">
        <div class="container"><h2 class="h3 mb-3">Some of the makers</h2><div class="row">{faces}</div></div>
    </section>
</div>
</t>
</t>"""

FOOTER = """<data inherit_id="website.layout" name="Default" active="True">
    <xpath expr="//div[@id='footer']" position="replace">
        <div id="footer" class="oe_structure oe_structure_solo border text-break" t-ignore="true" t-if="not no_footer">
            <section class="s_text_block pt32 pb16" data-snippet="s_text_block" data-name="Footer">
                <div class="container"><div class="row">
                    <div class="col-lg-5 pb24"><h5>SOKO</h5>
                        <p>Handmade jewellery from independent artisans in Kenya. This is a
                        demonstration: makers, prices and orders are made up.</p></div>
                    <div class="col-lg-3 pb24"><h5>Look around</h5>
                        <ul class="list-unstyled">
                            <li><a href="/shop">Shop</a></li>
                            <li><a href="/makers">Makers</a></li>
                            <li><a href="/contactus">Contact us</a></li>
                        </ul></div>
                    <div class="col-lg-4 pb24"><h5>Write to us</h5>
                        <ul class="list-unstyled">
                            <li><a href="mailto:hello@soko.example.com">hello@soko.example.com</a></li>
                            <li>Mfano House, Mfano Road, Nairobi</li>
                        </ul></div>
                </div></div>
            </section>
        </div>
    </xpath>
</data>"""

TERMS = """<t t-name="website_sale.product_terms_and_conditions">
    <p class="text-muted mb-0">
        Posted from Nairobi within a day, 8 to 12 days on the way, free.<br/>
        Thirty days to send it back.
    </p>
</t>"""
