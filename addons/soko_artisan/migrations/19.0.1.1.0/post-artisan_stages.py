"""Let stages mean something from now on, without stopping anybody who delivers today.

A stage was a mere label in the first version. Who has an active agreement delivers, whatever the
label says; her history begins with the day her record was made.
"""

WORKING = """
    UPDATE soko_artisan a SET stage = 'active'
     WHERE stage IN ('applicant', 'left')
       AND EXISTS (SELECT FROM soko_agreement g WHERE g.artisan_id = a.id AND g.state = 'active')
"""
SINCE = "UPDATE soko_artisan SET stage_date = create_date::date WHERE stage_date IS NULL"
HISTORY = """
    INSERT INTO soko_artisan_stage_change (
           artisan_id, company_id, stage, date, user_id,
           create_uid, create_date, write_uid, write_date)
    SELECT a.id, a.company_id, a.stage, a.stage_date, COALESCE(a.create_uid, 1),
           1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM soko_artisan a
     WHERE NOT EXISTS (SELECT FROM soko_artisan_stage_change c WHERE c.artisan_id = a.id)
"""


def migrate(cr, version):
    """Call who delivers active, and begin the history of stages."""
    cr.execute(WORKING)
    cr.execute(SINCE)
    cr.execute(HISTORY)
