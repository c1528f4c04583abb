from odoo import models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _split_by_api(self):
        """Send through each company's own gateway. This is the second of Odoo's two paths."""
        left = self.browse()
        for company, messages in self.grouped(lambda sms: sms._get_sms_company()).items():
            if company._soko_get_sms_gateway_url():
                sms_api = company._get_sms_api_class()(self.env)
                sms_api._set_company(company)
                yield sms_api, messages
            else:
                left |= messages
        if left:
            yield from super(SmsSms, left)._split_by_api()

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Send the queue, which may hold messages of several companies, like `send` does."""
        if self.env.context.get("sms_api"):
            return super()._send(unlink_failed, unlink_sent, raise_exception)
        for sms_api, messages in self._split_by_api():
            by_gateway = messages.with_context(sms_api=sms_api)
            super(SmsSms, by_gateway)._send(unlink_failed, unlink_sent, raise_exception)
        return None
