from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import html2plaintext

PUBLIC_IMAGES = ("image_128", "image_512")


class SokoArtisan(models.Model):
    """The maker as shoppers see her: nothing is shown that she did not agree to."""

    _name = "soko.artisan"
    _inherit = [
        "soko.artisan",
        "website.seo.metadata",
        "website.published.multi.mixin",
    ]

    image_512 = fields.Image(related="partner_id.image_512", string="Image 512")
    is_published = fields.Boolean(
        tracking=True,
        help="Show the maker's page in the shop. Needs the maker's consent.",
    )

    # === COMPUTE METHODS === #

    def _compute_website_url(self):
        result = super()._compute_website_url()
        for artisan in self.filtered("id"):
            artisan.website_url = f"/makers/{self.env['ir.http']._slug(artisan)}"
        return result

    # === CONSTRAINTS === #

    @api.constrains("is_published", "consent_publish")
    def _check_published_with_consent(self):
        for artisan in self:
            if artisan.is_published and not artisan.consent_publish:
                raise ValidationError(
                    self.env._(
                        "%(artisan)s has not agreed to be shown to shoppers, so the page can't be "
                        'published. Ask first, then tick "May be shown to shoppers".',
                        artisan=artisan.name,
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        """Take the page off the shop the moment the maker withdraws her consent."""
        if vals.get("consent_publish", True) or vals.get("is_published"):
            return super().write(vals)
        return super().write({**vals, "is_published": False})

    # === BUSINESS METHODS === #

    @api.model
    def _soko_get_named_domain(self, website):
        """Return the domain of the makers that `website` may show by name.

        :param website: record of the website that is visited
        :rtype: odoo.fields.Domain
        """
        return Domain(
            [
                ("is_published", "=", True),
                ("consent_publish", "=", True),
                ("company_id", "=", website.company_id.id),
            ]
        ) & Domain(website.website_domain())

    def _soko_is_named(self, website=None):
        """Tell whether this maker may be named to shoppers.

        :param website: record of the website, or nothing where there is none (an e-mail)
        :rtype: bool
        """
        self.ensure_one()
        elsewhere = website and self.website_id and self.website_id != website
        return self.active and self.is_published and self.consent_publish and not elsewhere

    def _soko_get_public_vals(self, website=None):
        """Return what a shopper may know of each maker, in the order of the makers.

        The only door through which an artisan's data reaches a public page: no phone, no e-mail,
        no amount. Without consent only the county remains, and makers that look the same then
        are told once.

        :param website: record of the website, or nothing where there is none (an e-mail)
        :return: dictionaries with `name` (False: not to be named), `place`, `url`, `image_url`,
            `crafts`
        :rtype: list[dict]
        """
        result = []
        for artisan in self.sorted(lambda a: not a._soko_is_named(website)):
            vals = artisan._soko_get_anonymous_vals()
            if artisan._soko_is_named(website):
                vals |= {
                    "name": artisan.name,
                    "url": artisan.website_url,
                    "image_url": self.env["website"].image_url(artisan, "image_512"),
                    "crafts": artisan.craft_ids.mapped("name"),
                }
            if vals not in result:
                result.append(vals)
        return result

    def _soko_get_anonymous_vals(self):
        """Return the public data of a maker who is not named: where the piece was made."""
        self.ensure_one()
        county = self.state_id.name
        place = self.env._("%(county)s, Kenya", county=county) if county else self.env._("Kenya")
        return {"name": False, "place": place, "url": False, "image_url": False, "crafts": []}

    def _can_return_content(self, field_name=None, access_token=None):
        """Let shoppers see the face of a maker who agreed to it, and no other file of hers.

        The website's own rule, which is not asked here, would give away any file of a record as
        soon as its page is published.
        """
        # sudo: a shopper has no access to artisans; only the answer yes or no leaves this method
        return field_name in PUBLIC_IMAGES and all(a._soko_is_named() for a in self.sudo())

    def _default_website_meta(self):
        self.ensure_one()
        meta = super()._default_website_meta()
        image = self.env["website"].image_url(self, "image_512")
        meta["default_opengraph"].update({"og:type": "profile", "og:image": image})
        meta["default_twitter"]["twitter:image"] = image
        text = html2plaintext(self.story or "").strip()
        meta["default_meta_description"] = text[:157] + "..." if len(text) > 160 else text
        return meta

    def _soko_get_markup_data(self, website):
        """Return the schema.org Person of a named maker, for search engines.

        See https://schema.org/Person.

        :param website: record of the website that is visited
        :rtype: dict
        """
        self.ensure_one()
        base_url = website.get_base_url()
        vals = self._soko_get_public_vals(website)[0]
        return {
            "@context": "https://schema.org",
            "@type": "Person",
            "name": vals["name"],
            "url": f"{base_url}{vals['url']}",
            "image": f"{base_url}{vals['image_url']}",
            "jobTitle": ", ".join(vals["crafts"]),
            "homeLocation": {"@type": "Place", "name": vals["place"]},
            "worksFor": {"@type": "Organization", "name": website.company_id.name},
        }
