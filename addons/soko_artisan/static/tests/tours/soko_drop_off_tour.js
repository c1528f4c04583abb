import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const row = ".o_data_row:has(.o_data_cell[name=product_id]:contains(Cuff, raw brass))";

registry.category("web_tour.tours").add("soko_artisan_drop_off", {
    steps: () => [
        ...stepUtils.goToAppSteps("soko_artisan.menu_root", "Open the app"),
        {
            trigger: "[data-menu-xmlid='soko_artisan.menu_drop_off_new']",
            run: "click",
        },
        {
            content: "The artisan at the counter is chosen by name",
            trigger: ".modal .o_field_widget[name=artisan_id] input",
            run: "edit Amina Mfano Tour",
        },
        {
            trigger: ".ui-menu-item > a:contains(Amina Mfano Tour)",
            run: "click",
        },
        {
            content: "The one product agreed is there: only the count is left",
            trigger: `.modal ${row} .o_data_cell[name=quantity]`,
            run: "click",
        },
        {
            trigger: ".modal .o_selected_row .o_field_widget[name=quantity] input",
            run: "edit 5",
        },
        {
            trigger: ".modal button[name=action_confirm]:contains(Take in)",
            run: "click",
        },
        {
            content: "The receipt opens, done",
            trigger: "body:not(:has(.modal)) .o_arrow_button_current[data-value=done]",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=soko_artisan_id]:contains(Amina Mfano Tour)",
        },
        {
            content: "The lot of the pieces is on it",
            trigger: `${row}:has([name=quantity]:contains(5.00)) [name=lot_ids] .o_tag`,
        },
    ],
});
