from odoo.tools.sql import column_exists, create_column


def migrate(cr, version):
    """Prepare rows that are there, so that nothing about them changes.

    Order lines of the past get no shop price: today's would be wrong. Companies go on without
    signatures until they switch them on.
    """
    if not version:
        return
    for name in ("soko_list_price", "soko_marked_price"):
        if not column_exists(cr, "sale_order_line", name):
            create_column(cr, "sale_order_line", name, "numeric")
    if not column_exists(cr, "res_company", "soko_allow_unsigned"):
        create_column(cr, "res_company", "soko_allow_unsigned", "bool")
        cr.execute("UPDATE res_company SET soko_allow_unsigned = TRUE")
    if not column_exists(cr, "soko_agreement", "currency_id"):
        create_column(cr, "soko_agreement", "currency_id", "int4")
        cr.execute(
            """
            UPDATE soko_agreement agreement
               SET currency_id = company.currency_id
              FROM res_company company
             WHERE company.id = agreement.company_id
            """
        )
