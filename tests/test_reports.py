"""Printed papers, as the office prints them: many records at once, and their words."""

import io
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools" / "story"))

from web_client import WebClient  # noqa: E402


@pytest.fixture(scope="module")
def manager(soko_system):
    """A manager at her desk."""
    return WebClient(soko_system.url, "manager", "manager")


def paper(client, report, ids):
    """Return the pages of a report on some records."""
    answer = client.download(f"/report/pdf/{report}/{','.join(map(str, ids))}")
    assert answer[:5] == b"%PDF-", answer[:200]
    return PdfReader(io.BytesIO(answer)).pages


def words(pages):
    """Return the words of every page."""
    return [" ".join(page.extract_text().split()) for page in pages]


def test_labels_of_several_drop_offs(manager):
    lots = manager.find("stock.lot", [("soko_artisan_id", "!=", False)], ["name"], limit=3)
    pages = paper(manager, "soko_artisan.report_drop_off_label", [x["id"] for x in lots])
    text = "".join(words(pages)).replace(" ", "")  # big letters are set one by one
    assert sum(len(page.images) for page in pages) == len(lots)  # a QR code each
    for lot in lots:
        assert text.count(lot["name"]) == 1  # no label twice
    assert "Mfano" in text


def test_certificates_have_header_footer_and_one_page_each(manager):
    done = manager.find(
        "soko.qc.inspection", [("state", "=", "done")], ["name", "lot_id"], limit=2
    )
    pages = words(paper(manager, "soko_qc.report_inspection", [x["id"] for x in done]))
    assert len(pages) == len(done) == 2
    for inspection, page in zip(done, pages, strict=True):
        assert inspection["name"] in page
        assert inspection["lot_id"][1] in page
        assert "SOKO" in page  # the company's header
        assert "Page" in page  # the footer counts the pages


def test_odoos_own_slips_of_several_transfers(manager):
    orders = manager.find("stock.picking", [("state", "=", "done")], ["name"], limit=2)
    pages = words(paper(manager, "stock.report_picking", [x["id"] for x in orders]))
    assert len(pages) >= 2
    for order in orders:
        assert any(order["name"] in page for page in pages)
