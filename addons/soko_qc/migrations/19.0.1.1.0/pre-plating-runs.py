from odoo.tools.sql import column_exists, create_column


def migrate(cr, version):
    """Runs that are there were planned for the day they were made, and are booked already.

    Odoo would plan all of them for the day of the update, and a reading that comes later would
    charge the bath's stock with their whole metal.
    """
    if not version or column_exists(cr, "soko_plating_run", "date_planned"):
        return
    create_column(cr, "soko_plating_run", "date_planned", "date")
    create_column(cr, "soko_plating_run", "booked_metal_g", "float8")
    cr.execute(
        """UPDATE soko_plating_run
              SET date_planned = COALESCE(date_started, create_date)::date,
                  booked_metal_g = CASE WHEN state = 'done' THEN fine_mass_g ELSE 0 END"""
    )
