from odoo.tools.sql import column_exists, create_column


def migrate(cr, version):
    """Plans that are there go on as before: a sample is enough from a maker's first lot on.

    The default of a new plan is three lots under full inspection, and Odoo would write it into
    existing plans as well.
    """
    if not version or column_exists(cr, "soko_qc_plan", "new_maker_lots"):
        return
    create_column(cr, "soko_qc_plan", "new_maker_lots", "int4")
    cr.execute("UPDATE soko_qc_plan SET new_maker_lots = 0")
