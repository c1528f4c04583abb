-- a neutralized copy can neither send nor be made to send by switching a cron on
UPDATE res_company SET soko_mpesa_frozen = true;
UPDATE soko_mpesa_account
   SET stopped_reason = 'neutralized', callback_url = NULL, base_url = NULL,
       balance_wanted = false, golive_is_complete = false;
DELETE FROM soko_mpesa_secret;
-- nor does it ask, nor answer to the public address of the original
UPDATE soko_mpesa_check SET state = 'done', ping_ask = NULL, ping_answer = NULL, waiting_until = NULL;
