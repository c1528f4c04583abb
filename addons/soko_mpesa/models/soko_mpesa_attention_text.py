from odoo import api, models


class SokoMpesaAttentionText(models.AbstractModel):
    """The sentences of the Attention page: what happened, what it means, what to do.

    `_say_<kind>(facts)` returns these three in the reader's language.
    """

    _name = "soko.mpesa.attention.text"
    _description = "M-Pesa attention: sentences"

    @api.model
    def _say(self, kind, facts):
        """Return (what happened, what it means, what to do) about a finding.

        :param str kind: a value of soko.mpesa.attention.kind
        :param dict facts: as the watch found them
        """
        return getattr(self, f"_say_{kind}")(facts)

    def _money(self, amount):
        amount = amount or 0
        # whole shillings as everybody writes them; a balance may have cents
        return f"KES {amount:,.0f}" if amount == int(amount) else f"KES {amount:,.2f}"

    # === PAYOUTS === #

    def _say_unknown(self, facts):
        return (
            self.env._("%(payout)s to %(payee)s (%(amount)s): nobody knows yet whether it was "
                       "paid.", **self._about(facts)),
            self.env._("M-Pesa took the request and hasn't said what became of it. It may have "
                       "been paid, so it must not be paid in another way."),
            self.env._("Press \"Ask M-Pesa now\" on the payout. If M-Pesa stays silent, look for "
                       "the payment in the M-Pesa organisation portal."),
        )

    def _say_exception(self, facts):
        return (
            self.env._("%(payout)s to %(payee)s (%(amount)s) needs a person: %(reason)s",
                       **self._about(facts)),
            self.env._("Two facts contradict each other, or the books refused the outcome. "
                       "Nothing more happens to this payout by itself."),
            self.env._("Look the payment up in the M-Pesa organisation portal, put the books "
                       "right, then press \"Mark as dealt with\" on the payout."),
        )

    def _say_held(self, facts):
        return (
            self.env._("%(payout)s to %(payee)s (%(amount)s) is on hold: %(reason)s",
                       **self._about(facts)),
            self.env._("Nothing was sent. The payee waits for the money."),
            self.env._("Nothing: it goes on by itself when that is over. An approver may look at "
                       "it before.") if facts.get("waits") else
            self.env._("Mend the cause, then an approver presses \"Release\"; or withdraw the "
                       "payout and its bill is open again."),
        )

    def _about(self, facts):
        return {
            "payout": facts.get("payout"), "payee": facts.get("payee"),
            "amount": self._money(facts.get("amount")), "reason": facts.get("reason") or "-",
        }

    def _say_approval(self, facts):
        return (
            self.env._("Waiting for an approver for more than a day: %(count)s, together "
                       "%(amount)s.", count=facts.get("count"),
                       amount=self._money(facts.get("amount"))),
            self.env._("They are sent only after a second person has approved them."),
            self.env._("An approver opens them, checks payees and amounts, and approves or "
                       "withdraws them. Nobody approves what they made themselves."),
        )

    def _say_name(self, facts):
        return (
            self.env._("The number of %(payee)s: %(reason)s", payee=facts.get("payee"),
                       reason=facts.get("reason")),
            self.env._("The number may belong to somebody else, for example after a SIM card was "
                       "given to a new owner."),
            self.env._("Call the payee on another way than this number. If it is theirs, confirm "
                       "it; if not, enter the right one."),
        )

    # === ACCOUNTS === #

    def _say_float(self, facts):
        return (
            self.env._("The float of %(account)s is low: %(amount)s, less than %(threshold)s.",
                       account=facts.get("account"), amount=self._money(facts.get("amount")),
                       threshold=self._money(facts.get("threshold"))),
            self.env._("When it is empty, M-Pesa refuses payouts and sending stops."),
            self.env._("Move money into the utility account of the shortcode, in the M-Pesa "
                       "organisation portal or at your bank."),
        )

    def _say_short(self, facts):
        return (
            self.env._("%(account)s waits for money: %(reason)s", account=facts.get("account"),
                       reason=facts.get("reason")),
            self.env._("Payouts go in the order in which they were approved, so all that are due "
                       "wait behind this one: %s.", facts.get("count")),
            self.env._("Move money into the utility account. If that takes long, withdraw the "
                       "large payout so that the others go, and pay its bill again later."),
        )

    def _say_stopped(self, facts):
        return (
            self.env._("%(account)s is stopped: %(reason)s", account=facts.get("account"),
                       reason=facts.get("reason")),
            self.env._("Nothing is sent from this account. What is in flight is still followed "
                       "up."),
            self.env._("Mend the cause. Then an M-Pesa manager presses \"Resume sending\" on the "
                       "account."),
        )

    def _say_settings(self, facts):
        return (
            self.env._("%(account)s can't send: %(reason)s", account=facts.get("account"),
                       reason=facts.get("reason")),
            self.env._("Payouts from this account wait until this is mended."),
            self.env._("An M-Pesa manager opens the account, completes it and presses \"Check "
                       "set-up\"."),
        )

    def _say_token(self, facts):
        return (
            self.env._("M-Pesa can't be reached for %(account)s: %(reason)s",
                       account=facts.get("account"), reason=facts.get("reason")),
            self.env._("The last call didn't go through. Nothing was lost: what waits is tried "
                       "again by itself."),
            self.env._("If it doesn't go away within an hour, press \"Check set-up\" on the "
                       "account; the consumer key or the Internet line may be the reason."),
        )

    def _say_stuck(self, facts):
        return (
            self.env._("Payouts of %(account)s that are due and that nobody sends: %(count)s.",
                       count=facts.get("count"), account=facts.get("account")),
            self.env._("Nothing blocks the account, but the job that sends isn't getting to "
                       "them."),
            self.env._("Ask your administrator whether Odoo's scheduled actions run, and to look "
                       "for the job \"M-Pesa: send approved payouts\" in Odoo's log."),
        )

    def _say_password(self, facts):
        age = self.env._("The operator's password of %(account)s is %(days)s days old.",
                         account=facts.get("account"), days=facts.get("days"))
        return (
            age if facts.get("days") else self.env._(
                "Nobody has entered when the operator's password of %s was set.",
                facts.get("account")),
            self.env._("Safaricom lets it live for 90 days. After that every payout is refused, "
                       "and tries with an old password lock the operator."),
            self.env._("Set a new password in the M-Pesa organisation portal, then enter it on "
                       "the account with the date."),
        )

    def _say_certificate(self, facts):
        return (
            self.env._("The certificate of %(account)s is valid to %(date)s.",
                       account=facts.get("account"), date=facts.get("date")),
            self.env._("Safaricom's certificates are often used beyond their date; but when it is "
                       "replaced, passwords encrypted with the old one are refused."),
            self.env._("Download the present certificate from the Daraja portal, compare the "
                       "fingerprint, and upload it on the account."),
        )

    def _say_responsible(self, facts):
        return (
            self.env._("%(user)s, who gets the tasks of %(account)s, has left or has no role in "
                       "M-Pesa any more.", user=facts.get("user"), account=facts.get("account")),
            self.env._("Until then the M-Pesa managers of the company get them. If there is none, "
                       "nobody is told when a payout needs a person."),
            self.env._("An M-Pesa manager opens the account and chooses who is responsible."),
        )

    def _say_frozen(self, facts):
        return (
            self.env._("Sending is frozen for %(company)s: %(reason)s",
                       company=facts.get("company"), reason=facts.get("reason") or
                       self.env._("somebody switched it on in the settings.")),
            self.env._("Approved payouts that wait for that: %s.", facts.get("count")),
            self.env._("Mend the cause, then take the switch \"Freeze M-Pesa payouts\" off in "
                       "Settings / M-Pesa."),
        )

    # === MACHINERY === #

    def _say_job(self, facts):
        problem = facts.get("problem", "silent")
        return (
            self._get_job_news(problem, facts),
            self._get_job_meaning(facts.get("name")),
            self._get_job_advice(problem),
        )

    def _get_job_news(self, problem, facts):
        job = facts.get("job")
        news = {
            "missing": self.env._("The scheduled job \"%s\" doesn't exist any more.", job),
            "off": self.env._("The scheduled job \"%s\" is switched off.", job),
            "user": self.env._("The user of the scheduled job \"%s\" is archived, so Odoo "
                               "doesn't run it.", job),
            "silent": self.env._("The scheduled job \"%(job)s\" hasn't ended a pass for "
                                 "%(minutes)s minutes.", job=job, minutes=facts.get("minutes")),
        }
        return news[problem]

    def _get_job_advice(self, problem):
        advice = {
            "missing": self.env._("Ask your administrator to update the module: that makes the "
                                  "job anew."),
            "off": self.env._("Ask your administrator to switch it on again in Settings / "
                              "Technical / Scheduled Actions. Odoo switches a job off by itself "
                              "when it fails for a week: Odoo's log says why."),
            "user": self.env._("Ask your administrator to give the job the user OdooBot."),
            "silent": self.env._("Ask your administrator whether Odoo's scheduled actions run at "
                                 "all (max_cron_threads), and whether this job fails in Odoo's "
                                 "log."),
        }
        return advice[problem]

    def _get_job_meaning(self, name):
        meanings = {
            "ir_cron_send": self.env._("Approved payouts aren't sent."),
            "ir_cron_apply": self.env._("What M-Pesa reports is kept but not looked at, so "
                                        "payments stay unproven."),
            "ir_cron_query": self.env._("Nobody asks M-Pesa about payments that it hasn't "
                                        "reported."),
            "ir_cron_sweep": self.env._("Payments whose sender died aren't followed up."),
            "ir_cron_watch": self.env._("Nobody watches: this page is brought up to date only "
                                        "when somebody opens it."),
        }
        return meanings.get(name, self.env._("What this job does isn't done."))

    def _say_invariant(self, facts):
        return (
            self.env._("The books of M-Pesa contradict themselves (%(rule)s): %(rows)s",
                       rule=facts.get("rule"), rows=", ".join(facts.get("rows") or [])),
            self.env._("This must never happen. To be safe, sending was frozen for the companies "
                       "concerned."),
            self.env._("Call who looks after this Odoo. When the cause is mended, take the freeze "
                       "off in Settings / M-Pesa. If it is understood and can't be undone, an "
                       "approver presses \"Understood\" first."),
        )

    def _say_automation(self, facts):
        return (
            self.env._("%(user)s has made or changed an automation that works on %(targets)s: "
                       "%(name)s", user=facts.get("user"), targets=facts.get("targets"),
                       name=facts.get("name")),
            self.env._("It acts by itself, with the rights of the administrator. What pays is "
                       "guarded by the database, but not all that an automation can do is "
                       "forbidden."),
            self.env._("An M-Pesa manager opens it, asks who made it what it does, and "
                       "acknowledges it; or the administrator deletes it first."),
        )

    def _say_inbox_failed(self, facts):
        return (
            self.env._("Messages from M-Pesa that couldn't be used: %s.", facts.get("count")),
            self.env._("They were kept. The payments they speak of are asked for, so they are "
                       "proven later, if at all."),
            self.env._("An M-Pesa manager opens them and passes the error on to who looks after "
                       "this Odoo."),
        )

    def _say_inbox_quarantined(self, facts):
        return (
            self.env._("Messages that came to addresses nobody was given: %s.",
                       facts.get("count")),
            self.env._("Strangers may be trying to report payments that never were. Nothing was "
                       "done with these messages."),
            self.env._("If there are many, ask your administrator to let only Safaricom reach the "
                       "addresses under /soko/daraja/."),
        )
