from werkzeug.exceptions import NotFound

from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools.json import scriptsafe as json_scriptsafe
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

MAKERS_PER_PAGE = 24


class SokoMakers(http.Controller):
    """The people behind the pieces. Artisans are read as superuser, after the public domain."""

    def sitemap_makers(env, rule, qs):
        """Name the page of every maker who agreed to be shown."""
        if not qs or qs.lower() in "/makers":
            yield {"loc": "/makers"}
        website = env["website"].get_current_website()
        # sudo: a sitemap is for everybody; the domain keeps to those who agreed to be shown
        Artisan = env["soko.artisan"].sudo()
        for artisan in Artisan.search(Artisan._soko_get_named_domain(website)):
            if not qs or qs.lower() in artisan.website_url:
                yield {"loc": artisan.website_url}

    @http.route(
        ["/makers", "/makers/page/<int:page>"],
        type="http",
        auth="public",
        website=True,
        sitemap=sitemap_makers,
        list_as_website_content=_lt("Makers"),
        readonly=True,
    )
    def makers(self, page=1, search="", county="", craft="", **kwargs):
        """Show the makers, twenty-four a page, by county and craft."""
        # sudo: shoppers can't read artisans; the domain keeps to those who agreed to be shown
        Artisan = request.env["soko.artisan"].sudo()
        named = Artisan._soko_get_named_domain(request.website)
        domain = named & self._get_filter_domain(search, county, craft)
        total = Artisan.search_count(domain)
        chosen = {"search": search, "county": county, "craft": craft}
        pager = request.website.pager(
            url="/makers",
            total=total,
            page=page,
            step=MAKERS_PER_PAGE,
            url_args={key: value for key, value in chosen.items() if value},
        )
        artisans = Artisan.search(domain, limit=MAKERS_PER_PAGE, offset=pager["offset"])
        values = {
            "makers": artisans._soko_get_public_vals(request.website),
            "total": total,
            "counties": [state for (state,) in Artisan._read_group(named, ["state_id"]) if state],
            "crafts": [craft_ for (craft_,) in Artisan._read_group(named, ["craft_ids"]) if craft_],
            "pager": pager,
            **chosen,
        }
        return request.render("soko_shop.makers", values)

    def _get_filter_domain(self, search, county, craft):
        """Return the domain for what the visitor asks; nonsense is ignored."""
        domain = Domain.TRUE
        for word in search.split():
            domain &= Domain.OR(
                Domain(name, "ilike", word) for name in ("name", "state_id.name", "craft_ids.name")
            )
        if county.isdigit():
            domain &= Domain("state_id", "=", int(county))
        if craft.isdigit():
            domain &= Domain("craft_ids", "in", [int(craft)])
        return domain

    @http.route(
        "/makers/<string:maker>",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        readonly=True,
    )
    def maker(self, maker, **kwargs):
        """Show one maker: her story, her crafts, her pieces on sale."""
        artisan = self._find_maker(maker)
        if artisan.website_url != f"/makers/{maker}":
            return request.redirect(artisan.website_url, code=301)
        return request.render("soko_shop.maker", self._prepare_maker_values(artisan))

    def _find_maker(self, slug):
        """Return the maker of a page address.

        :raise NotFound: nobody of that name, or not to be shown; website editors see drafts
        """
        maker_id = request.env["ir.http"]._unslug(slug)[1]
        # sudo: shoppers can't read artisans; who may be shown is checked right below
        artisan = request.env["soko.artisan"].sudo().browse(maker_id or 0).exists()
        editor = request.env.user.has_group("website.group_website_restricted_editor")
        if not artisan or not (artisan._soko_is_named(request.website) or editor):
            raise NotFound
        return artisan

    def _prepare_maker_values(self, artisan):
        """Return the values of a maker's page. Hook: later figures are added here."""
        website = request.website
        named = artisan._soko_is_named(website)
        domain = Domain("soko_artisan_ids", "in", artisan.ids)
        products = request.env["product.template"].search(
            Domain(website.sale_product_domain()) & domain, order="website_sequence", limit=24
        )
        markup = artisan._soko_get_markup_data(website) if named else None
        return {
            "main_object": artisan,
            "artisan": artisan,
            "named": named,
            "products": products,
            "prices": products._get_sales_prices(website),
            "qty_sold": int(artisan.qty_sold),
            "product_markup_data": markup and json_scriptsafe.dumps(markup, indent=2),
        }
