from odoo.addons.payment import reset_payment_provider, setup_provider

from . import controllers, models


def post_init_hook(env):
    """Give each company a provider, as Odoo's own providers do."""
    setup_provider(env, "mpesa")


def uninstall_hook(env):
    """Take code, form and payment method off the providers."""
    reset_payment_provider(env, "mpesa")
