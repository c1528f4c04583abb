"""The bench in a real browser, tablet size: touches outlive a lost connection and a closed page."""
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools" / "story"))

from web_client import WebClient  # noqa: E402

TABLET = {"width": 1024, "height": 768}
PIECES = """SELECT piece.number, piece.result FROM soko_qc_inspection_piece piece
              JOIN stock_lot lot ON lot.id = piece.lot_id
             WHERE lot.name = 'BENCH-1' ORDER BY piece.number"""


@pytest.fixture(scope="module")
def lot(soko_system):
    """Five pieces that wait for their inspection."""
    admin = WebClient(soko_system.url, "admin", "admin")
    receipts = admin.find("stock.picking.type", [("code", "=", "incoming")],
                          ["default_location_src_id", "default_location_dest_id"], limit=1)[0]
    admin.call("stock.picking.type", "write", [receipts["id"]], {"soko_qc_required": True})
    product = admin.create("product.product", name="Bench cuff", is_storable=True, tracking="lot")
    number = admin.create("stock.lot", name="BENCH-1", product_id=product)
    places = {"location_id": receipts["default_location_src_id"][0],
              "location_dest_id": receipts["default_location_dest_id"][0]}
    picking = admin.create("stock.picking", picking_type_id=receipts["id"], **places)
    admin.create("stock.move", picking_id=picking, product_id=product, product_uom_qty=5, **places,
                 move_line_ids=[[0, 0, {"product_id": product, "quantity": 5, "lot_id": number,
                                        "picking_id": picking, **places}]])
    admin.call("stock.picking", "action_confirm", [picking])
    admin.call("stock.picking", "button_validate", [picking])


def log_in(page, system):
    page.goto(f"{system.url}/web/login")
    page.fill("#login", "inspector")
    page.fill("#password", "inspector")
    page.press("#password", "Enter")
    page.wait_for_selector(".o_main_navbar", timeout=60_000)


def open_lot(page, system):
    page.goto(f"{system.url}/odoo/qc-bench")
    page.wait_for_selector(".o_soko_bench")


def wait_for_line(page, text):
    page.locator(".o_soko_bench_line", has_text=re.compile(text)).wait_for(timeout=20_000)


def piece(page, number):
    page.wait_for_selector(f".o_soko_bench_piece[data-piece='{number}']")


def test_bench(soko_system, open_page, lot):
    page = open_page(TABLET)
    log_in(page, soko_system)
    open_lot(page, soko_system)

    # found by what a scanner types
    page.fill("input[name=code]", "bench-1")
    page.press("input[name=code]", "Enter")
    piece(page, 1)
    page.click(".o_soko_bench_pass")
    piece(page, 2)
    wait_for_line(page, "All saved")

    # cut off: the work goes on, and the page says so
    page.context.set_offline(True)
    page.click(".o_soko_bench_pass")
    piece(page, 3)
    page.click("[data-defect='SHARP']")
    page.click(".o_soko_bench_next")
    piece(page, 4)
    wait_for_line(page, "No connection; 3 kept here")
    assert rows(soko_system) == ["1|pass", "2|todo", "3|todo", "4|todo", "5|todo"]

    # the tablet goes out and is switched on again where there is a connection
    context = page.context
    page.close()
    context.set_offline(False)
    page = context.new_page()
    open_lot(page, soko_system)
    wait_for_line(page, "All saved")
    assert rows(soko_system) == ["1|pass", "2|pass", "3|fail", "4|todo", "5|todo"]
    piece(page, 4)

    # by the keyboard alone
    page.keyboard.press("p")
    piece(page, 5)
    page.keyboard.press("p")
    page.wait_for_selector(".o_soko_bench_summary")
    wait_for_line(page, "All saved")
    page.click(".o_soko_bench_decide")
    page.click(".modal .btn-primary")
    done = page.wait_for_selector(".o_soko_bench .alert-success").inner_text()
    assert "4 accepted" in done and "1 rejected" in done
    assert "1.2 touches a piece" in done


def test_a_scanner_is_no_keyboard(soko_system, open_page, lot):
    """A code that a scanner types on the sheet of a piece finds a lot and touches no piece."""
    page = open_page(TABLET)
    log_in(page, soko_system)
    open_lot(page, soko_system)
    page.keyboard.type("P1N2-UP9\n", delay=5)
    page.locator(".o_soko_bench .alert-warning", has_text="P1N2-UP9").wait_for()


def rows(system):
    return system.server.sql(PIECES, system.database).splitlines()
