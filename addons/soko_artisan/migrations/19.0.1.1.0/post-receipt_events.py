def migrate(cr, version):
    """Write an event for each receipt that was noted before events were kept.

    Who said it and when is what the delivery knows; more was not written down.
    """
    if not version:
        return
    cr.execute(
        """
        INSERT INTO soko_receipt_event
                    (picking_id, company_id, source, date, outcome, evidence,
                     create_uid, create_date, write_uid, write_date)
             SELECT picking.id, picking.company_id, picking.soko_received_via,
                    picking.soko_received_date, 'counted',
                    'Noted before the evidence of receipts was kept.',
                    1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
               FROM stock_picking picking
              WHERE picking.soko_received_date IS NOT NULL
                AND picking.soko_received_via IS NOT NULL
                AND NOT EXISTS (SELECT FROM soko_receipt_event event
                                 WHERE event.picking_id = picking.id)
        """
    )
