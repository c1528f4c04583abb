from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Freeze on each lot what was read from its agreement until now, and begin the versions.

    Lots get the currency, moment of the debt, hold days and payee of their agreement as it is;
    discounts were shared until now. Each agreement in force or over gets version 1.
    """
    if not version:
        return
    cr.execute(
        """
        UPDATE stock_lot lot
           SET soko_currency_id = agreement.currency_id,
               soko_debt_trigger = agreement.debt_trigger,
               soko_hold_days = agreement.hold_days,
               soko_payee = agreement.payee,
               soko_discount_bearer = 'shared'
          FROM soko_agreement_line line
          JOIN soko_agreement agreement ON agreement.id = line.agreement_id
         WHERE line.id = lot.soko_agreement_line_id
           AND lot.soko_debt_trigger IS NULL
        """
    )
    cr.execute(
        """
        UPDATE stock_lot lot
           SET soko_currency_id = company.currency_id
          FROM soko_artisan artisan
          JOIN res_company company ON company.id = artisan.company_id
         WHERE artisan.id = lot.soko_artisan_id
           AND lot.soko_currency_id IS NULL
        """
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    for agreement in env["soko.agreement"].search(
        [("state", "!=", "draft"), ("version_id", "=", False)]
    ):
        agreement._make_version()
