import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const pieces = ".o_field_widget[name=piece_ids]";
const fifth = `${pieces} .o_data_row:has(.o_data_cell[name=number]:contains(/^5$/))`;

registry.category("web_tour.tours").add("soko_qc_inspection", {
    steps: () => [
        ...stepUtils.goToAppSteps("soko_qc.menu_soko_qc_root", "Open the app"),
        {
            content: "The drop-off waits in the list of what is to do",
            trigger: ".o_list_view .o_data_row .o_data_cell[name=lot_id]:contains(LOT-TOUR)",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_start]:contains(Start)",
            run: "click",
        },
        {
            content: "Five pieces are listed; the fifth has a sharp edge",
            trigger: `${fifth} .o_data_cell[name=defect_ids]`,
            run: "click",
        },
        {
            trigger: ".o_selected_row .o_field_widget[name=defect_ids] input",
            run: "edit Sharp edge",
        },
        {
            trigger: ".ui-menu-item > a:contains(Sharp edge)",
            run: "click",
        },
        {
            content: "A critical defect fails the piece by itself",
            trigger: `${fifth}:has(.o_tag:contains(Sharp edge)).text-danger`,
        },
        {
            content: "The others pass",
            trigger: ".o_form_view button[name=action_all_pass]:contains(All Pass)",
            run: "click",
        },
        {
            trigger: `${pieces}:has(.o_data_row.text-success:eq(3)) .o_data_row.text-danger`,
        },
        {
            trigger: ".o_form_view button[name=action_done]:contains(Decide and Move)",
            run: "click",
        },
        {
            content: "What happens is said before it is final",
            trigger: ".modal:contains(This is final) .btn-primary",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=qty_accepted]:contains(4.00)",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=qty_rejected]:contains(1.00)",
        },
    ],
});
