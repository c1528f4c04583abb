{
    "name": "Soko Shop",
    "version": "19.0.1.0.0",
    "category": "Website/Website",
    "summary": "Makers on the web shop, and the shopper's own \"I received it\"",
    "author": "SOKO",
    "license": "LGPL-3",
    "depends": ["soko_artisan", "website_sale_stock"],
    "data": [
        "data/website_menu_data.xml",
        "data/mail_template_data.xml",
        "views/soko_artisan_views.xml",
        "views/soko_receipt_rule_views.xml",
        "views/soko_receipt_token_views.xml",
        "views/made_by_templates.xml",
        "views/makers_templates.xml",
        "views/received_templates.xml",
        "views/portal_templates.xml",
    ],
    "assets": {
        "web.assets_frontend": ["soko_shop/static/src/scss/**/*"],
    },
}
