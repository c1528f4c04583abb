{
    "name": "M-Pesa checkout",
    "version": "19.0.1.0.0",
    "category": "Accounting/Payment Providers",
    "summary": "Shoppers pay with M-Pesa: a prompt on their phone, proven before the order counts",
    "author": "SOKO",
    "license": "LGPL-3",
    "depends": ["soko_mpesa", "account_payment"],
    "data": [
        "security/ir.model.access.csv",
        "data/ir_cron_data.xml",
        "views/inline_form_templates.xml",
        "views/payment_provider_views.xml",
        "views/payment_transaction_views.xml",
        "data/payment_provider_data.xml",
    ],
    "assets": {
        "web.assets_frontend": ["soko_mpesa_checkout/static/src/interactions/**/*"],
    },
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
