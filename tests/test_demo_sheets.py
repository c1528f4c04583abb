"""The demo's sheets by themselves: no database, no Odoo."""

import csv
import importlib.util
import re
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parent.parent / "tools" / "demo"
IMAGES = DEMO / "images"
IMAGE_LIMIT = 25_000  # bytes


def rows(name):
    """Return the rows of a sheet; a row without an id belongs to the record above it."""
    with open(DEMO / f"{name}.csv", newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    for above, row in zip(found, found[1:], strict=False):
        if "artisan_id" in row:
            row["artisan_id"] = row["artisan_id"] or above["artisan_id"]
    return found


def column(name, field):
    return [row[field] for row in rows(name) if row[field]]


def test_the_house_has_its_size():
    assert len(rows("artisans")) == 30
    assert len(set(column("artisans", "state_id"))) == 6
    assert len(rows("groups")) == 3
    assert len(rows("products")) == 40


def test_ids_are_given_once():
    for sheet in sorted(DEMO.glob("*.csv")):
        ids = [row["id"] for row in rows(sheet.stem) if row["id"]]
        assert ids, sheet.name
        assert len(ids) == len(set(ids)), sheet.name
        assert all(name.startswith("soko_demo.") for name in ids), sheet.name


def test_nobody_in_it_is_real():
    for row in rows("artisans"):
        assert row["name"].endswith(" Mfano")
        assert re.fullmatch(r"\+2547000000\d\d", row["phone"]), row["name"]
    assert len(set(column("artisans", "phone"))) == 30
    for sheet in ("artisans", "contacts", "users"):
        addresses = column(sheet, "email")
        assert all(address.endswith("@example.com") for address in addresses), sheet


def test_only_makers_who_agreed_are_shown():
    shown = [row for row in rows("artisans") if row["is_published"] == "True"]
    assert len(shown) > 15
    assert all(row["consent_publish"] == "True" for row in shown)
    assert all(re.sub("<[^>]+>", "", row["story"]).count(". ") >= 1 for row in shown)


def test_agreements_name_what_is_there():
    artisans, products = set(column("artisans", "name")), set(column("products", "name"))
    for row in rows("agreements"):
        assert row["artisan_id"] in artisans
        assert row["line_ids/product_id"] in products
    agreed = {(row["artisan_id"], row["line_ids/product_id"]) for row in rows("agreements")}
    for row in rows("drop_offs"):
        assert (row["artisan_id"], row["line_ids/product_id"]) in agreed


def test_every_plated_piece_has_a_raw_twin():
    names = set(column("products", "name"))
    plated = [name for name in names if name.endswith(", gold plated")]
    assert len(plated) == len(rows("plated_products")) == 10
    assert {name.replace(", gold plated", ", raw brass") for name in plated} <= names


def test_everybody_who_is_paid_has_a_number_and_nobody_else():
    groups = {row["name"]: row["group_id"] for row in rows("artisans")}
    who = {row["artisan_id"]: row["payee"] for row in rows("agreements") if row["payee"]}
    paid = {groups[name] if payee == "group" else name for name, payee in who.items()}
    assert set(column("payees", "partner_id")) == paid


@pytest.mark.parametrize("sheet, field", [("products", "image_1920"), ("artisans", "portrait")])
def test_pictures_are_there_and_small(sheet, field):
    for name in column(sheet, field):
        size = (IMAGES / name).stat().st_size
        assert 1000 < size <= IMAGE_LIMIT, name


def test_a_picture_can_be_drawn_again(tmp_path):
    pytest.importorskip("PIL")
    spec = importlib.util.spec_from_file_location("demo_draw", DEMO / "draw.py")
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    assert {f"{name}.webp" for name in draw.PIECES} == set(column("products", "image_1920"))
    canvas = draw.portrait(1, draw.FACES[0])
    canvas.save(tmp_path / "one.webp")
    draw.portrait(1, draw.FACES[0]).save(tmp_path / "two.webp")
    assert (tmp_path / "one.webp").read_bytes() == (tmp_path / "two.webp").read_bytes()
