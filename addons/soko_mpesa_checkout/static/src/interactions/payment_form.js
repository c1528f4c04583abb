import { _t } from "@web/core/l10n/translation";
import { rpc, RPCError } from "@web/core/network/rpc";
import { patch } from "@web/core/utils/patch";

import { PaymentForm } from "@payment/interactions/payment_form";

patch(PaymentForm.prototype, {
    /**
     * The phone number is asked for on the page itself: no redirection.
     *
     * @override
     */
    async _prepareInlineForm(providerId, providerCode, paymentOptionId, paymentMethodCode, flow) {
        if (providerCode !== "mpesa") {
            await super._prepareInlineForm(...arguments);
            return;
        }
        this._setPaymentFlow("direct");
    },

    /**
     * Check the phone number before a transaction is made.
     *
     * @override
     */
    async _initiatePaymentFlow(providerCode, paymentOptionId, paymentMethodCode, flow) {
        if (providerCode === "mpesa" && !this._mpesaPhoneInput().reportValidity()) {
            this._enableButton();
            return;
        }
        await super._initiatePaymentFlow(...arguments);
    },

    /**
     * Ask for a prompt on the phone; the status page waits for the outcome.
     *
     * @override
     */
    async _processDirectFlow(providerCode, paymentOptionId, paymentMethodCode, processingValues) {
        if (providerCode !== "mpesa") {
            await super._processDirectFlow(...arguments);
            return;
        }
        try {
            const answer = await this.waitFor(rpc("/payment/mpesa/push", {
                reference: processingValues.reference,
                partner_id: processingValues.partner_id,
                access_token: processingValues.access_token,
                phone: this._mpesaPhoneInput().value,
            }));
            if (answer.error) {
                this._mpesaFail(answer.error);
            } else {
                window.location = "/payment/status";
            }
        } catch (error) {
            if (!(error instanceof RPCError)) {
                throw error;
            }
            this._mpesaFail(error.data.message);
        }
    },

    _mpesaPhoneInput() {
        const radio = this.el.querySelector('input[name="o_payment_radio"]:checked');
        return this._getInlineForm(radio).querySelector('input[name="o_mpesa_phone"]');
    },

    _mpesaFail(message) {
        this._displayErrorDialog(_t("M-Pesa payment"), message);
        this._enableButton();
    },
});
