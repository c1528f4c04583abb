import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

registry.category("web_tour.tours").add("soko_qc_control_chart", {
    steps: () => [
        ...stepUtils.goToAppSteps("soko_qc.menu_soko_qc_root", "Open the app"),
        {
            trigger: "[data-menu-xmlid='soko_qc.menu_soko_qc_figures']",
            run: "click",
        },
        {
            trigger: "[data-menu-xmlid='soko_qc.menu_soko_qc_control_chart']",
            run: "click",
        },
        {
            content: "Nothing is chosen, and the screen says what to do",
            trigger: ".modal .o_field_widget[name=chart]:contains(Choose a measure)",
        },
        {
            trigger: ".modal .o_field_widget[name=criterion_id] input",
            run: "edit Width",
        },
        {
            trigger: ".ui-menu-item > a:contains(Cuffs: Width)",
            run: "click",
        },
        {
            content: "The outlier is drawn red",
            trigger: ".modal .o_field_widget[name=chart] svg circle.o_soko_marked",
        },
        {
            trigger: ".modal .o_field_widget[name=chart] td:contains(beyond a control limit)",
        },
        {
            trigger: ".modal .o_field_widget[name=chart] td a:contains(QC/)",
        },
        {
            trigger: ".modal footer .btn-primary:contains(Close)",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});
