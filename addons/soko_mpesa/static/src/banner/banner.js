import { Component, onWillStart } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";

/** Says on top of the payouts that sending stands still, or that something needs a person. */
export class MpesaBanner extends Component {
    static template = "soko_mpesa.Banner";
    static props = {};

    setup() {
        this.action = useService("action");
        const orm = useService("orm");
        this.state = { alarms: [], serious: 0, rows: 0 };
        onWillStart(async () => {
            Object.assign(this.state, await orm.silent.call("soko.mpesa.attention", "get_banner"));
        });
    }

    openAttention() {
        this.action.doAction("soko_mpesa.soko_mpesa_attention_server_action", {
            clearBreadcrumbs: true,
        });
    }
}

export class MpesaPayoutListRenderer extends ListRenderer {
    static template = "soko_mpesa.PayoutListRenderer";
    static components = { ...ListRenderer.components, MpesaBanner };
}

export class MpesaPayoutKanbanRenderer extends KanbanRenderer {
    static template = "soko_mpesa.PayoutKanbanRenderer";
    static components = { ...KanbanRenderer.components, MpesaBanner };
}

registry.category("views").add("soko_mpesa_payout_list", {
    ...listView,
    Renderer: MpesaPayoutListRenderer,
});
registry.category("views").add("soko_mpesa_payout_kanban", {
    ...kanbanView,
    Renderer: MpesaPayoutKanbanRenderer,
});
