-- a neutralized copy can neither send nor be made to send by switching a cron on
UPDATE res_company SET soko_mpesa_frozen = true;
UPDATE soko_mpesa_account SET stopped_reason = 'neutralized', callback_url = NULL;
DELETE FROM soko_mpesa_secret;
