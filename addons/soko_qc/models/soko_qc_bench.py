import re
from datetime import datetime, timezone

from psycopg2.errors import UniqueViolation

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools.image import base64_to_image

from ..tools import judgement
from .soko_qc_criterion import NUMBERS
from .soko_qc_tap import KINDS

OPEN_STATES = ("draft", "in_progress")
MOST_TAPS = 100  # in one call; a device sends what it kept while it was cut off in parts
MOST_CHOICES = 40
MOST_DEFECTS = 200  # more than a screen of buttons can show
KEY = re.compile(r"[0-9A-Za-z-]{8,64}")


class SokoQcBench(models.AbstractModel):
    """What the full-screen page at the bench asks and sends.

    All of it by the rights of the inspector, as in the form. Each touch comes with a key of the
    device and may come several times, late, and after others: it has its effect once.
    """

    _name = "soko.qc.bench"
    _description = "Inspection Bench"

    # === WHAT THE PAGE ASKS === #

    @api.model
    def waiting(self):
        """Return what waits to be looked at, the oldest first: a list for `choices`."""
        self._check_may_inspect()
        inspections = self.env["soko.qc.inspection"].search(
            Domain("state", "in", OPEN_STATES) & self._get_company_domain(),
            order="id", limit=MOST_CHOICES)
        return [self._tell_choice(inspection) for inspection in inspections]

    @api.model
    def find(self, code):
        """Find the inspection of what was scanned: a lot, an inspection, or a product's barcode.

        :param str code: as the scanner or the inspector typed it
        :return: ``{"sheet": ...}`` for exactly one, ``{"choices": [...]}`` for several, else
            ``{"message": text}``, which says what is known of it
        """
        self._check_may_inspect()
        code = str(code or "").strip()
        if not code:
            return {"message": self.env._("Scan or type the lot on the label of the pieces.")}
        named = Domain("lot_id.name", "=ilike", self._escape(code))
        named |= Domain("name", "=ilike", self._escape(code))
        named |= Domain("product_id.barcode", "=", code)
        found = self.env["soko.qc.inspection"].search(
            named & self._get_company_domain(), order="id desc", limit=MOST_CHOICES)
        waiting = found.filtered(lambda inspection: inspection.state in OPEN_STATES)
        if len(waiting) == 1:
            return {"sheet": self.open(waiting.id)}
        if waiting:
            return {"choices": [self._tell_choice(one) for one in waiting.sorted("id")]}
        return {"message": self._describe_closed(found[:1], code)}

    @api.model
    def open(self, inspection_id):
        """Begin an inspection, if it isn't begun, and return its sheet.

        :raises UserError: it is decided or cancelled
        """
        inspection = self._browse(inspection_id)
        if inspection.state not in OPEN_STATES:
            raise UserError(self._describe_closed(inspection, inspection.name))
        inspection.filtered(lambda i: i.state == "draft").action_start()
        return self._tell_sheet(inspection)

    @api.model
    def decide(self, inspection_id):
        """Close the inspection and move its pieces, as the form's button does.

        :return: ``{"done": figures}``, or ``{"sheet": ..., "message": ...}`` when the sample
            refused the lot and the other pieces are to be looked at
        """
        inspection = self._browse(inspection_id)
        answer = inspection.action_done()
        if isinstance(answer, dict):
            return {"sheet": self._tell_sheet(inspection), "message": answer["params"]["message"]}
        return {"done": {
            "name": inspection.name,
            "accepted": inspection.qty_accepted,
            "rework": inspection.qty_rework,
            "rejected": inspection.qty_rejected,
            "taps": inspection.taps_per_piece,
        }}

    # === WHAT THE PAGE SENDS === #

    @api.model
    def save(self, taps):
        """Let touches have their effect, each once and each by itself.

        :param list taps: dicts ``{"key", "kind", "piece", "value", "criterion", "at"}``: the
            device's key, one of ``KINDS``, id of the piece, what was chosen or entered, id of the
            criterion's result, and milliseconds of the device's clock
        :return: ``{"answers": {key: text}, "pieces": [...]}``; an empty text means that it is
            kept, else it says why it can't be and must not come again. ``pieces`` are those
            touched, as they are now
        """
        self._check_may_inspect()
        if not isinstance(taps, list) or len(taps) > MOST_TAPS:
            raise UserError(self.env._("At most %s touches are taken at once.", MOST_TAPS))
        keys = [str(tap.get("key")) for tap in taps if isinstance(tap, dict)]
        # sudo: whether a key is known is all that is asked, also of a piece of another company
        known = set(self.env["soko.qc.tap"].sudo().search([("key", "in", keys)]).mapped("key"))
        answers, touched = {}, self.env["soko.qc.inspection.piece"]
        for tap in taps:
            key, answer, piece = self._save_one(tap, known)
            answers[key] = answer
            known.add(key)
            touched |= piece
        return {"answers": answers, "pieces": [self._tell_piece(piece) for piece in touched]}

    def _save_one(self, tap, known):
        """:return: (key, why it isn't kept or an empty text, the piece)"""
        piece = self.env["soko.qc.inspection.piece"]
        key = str(tap.get("key")) if isinstance(tap, dict) else ""
        try:
            with self.env.cr.savepoint():
                self._check_tap(tap, key)
                piece = self._get_piece(tap)
                if key not in known:
                    self._apply(piece, tap, key)
                    self.env.flush_all()
        except UniqueViolation:
            self.env.invalidate_all(flush=False)  # the same came by another way in this moment
        except UserError as error:
            self.env.invalidate_all(flush=False)
            return key, str(error), piece
        return key, "", piece

    def _check_tap(self, tap, key):
        known = isinstance(tap, dict) and tap.get("kind") in dict(KINDS)
        if not known or not KEY.fullmatch(key):
            raise UserError(self.env._("This touch can't be understood; do it once more."))

    def _get_piece(self, tap):
        piece = self._find_record("soko.qc.inspection.piece", tap.get("piece"))
        if not piece:
            raise UserError(self.env._(
                "The piece is not on the sheet any more: the inspection was begun anew. Look at "
                "it once more."))
        piece.check_access("write")
        return piece

    def _apply(self, piece, tap, key):
        getattr(self, f"_tap_{tap['kind']}")(piece, tap)
        # sudo: touches are kept by this step alone; the right to the piece was checked
        self.env["soko.qc.tap"].sudo().create({
            "key": key, "kind": tap["kind"], "piece_id": piece.id, "user_id": self.env.uid,
            "tapped_at": self._read_clock(tap.get("at")),
        })

    @api.model
    def _read_clock(self, milliseconds):
        try:
            moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
            return moment.replace(tzinfo=None)
        except (TypeError, ValueError, OverflowError, OSError):
            return fields.Datetime.now()

    # === EFFECTS === #

    def _tap_pass(self, piece, _tap):
        piece.action_pass()

    def _tap_rework(self, piece, _tap):
        piece.action_rework()

    def _tap_open(self, piece, _tap):
        piece._check_open()
        piece.defect_ids = [Command.clear()]
        piece.result_ids.verdict = judgement.TODO
        piece.result = judgement.TODO

    def _tap_defect(self, piece, tap):
        piece.defect_ids = [Command.link(self._get_defect(tap).id)]

    def _tap_no_defect(self, piece, tap):
        piece.defect_ids = [Command.unlink(self._get_defect(tap).id)]

    def _tap_verdict(self, piece, tap):
        result = self._get_result(piece, tap)
        if tap.get("value") not in (judgement.PASS, judgement.FAIL, judgement.TODO):
            raise UserError(self.env._("Choose pass or fail for %s.", result.name))
        if tap["value"] == judgement.PASS and result._lacks_reading():
            raise UserError(self.env._(
                "%(name)s of piece %(number)s needs its reading or photo first.",
                name=result.name, number=piece.number))
        result.verdict = tap["value"]

    def _tap_reading(self, piece, tap):
        result = self._get_result(piece, tap)
        if result.type not in NUMBERS:
            raise UserError(self.env._("%s is not measured.", result.name))
        try:
            value = float(str(tap.get("value")).replace(",", ".").strip())
            in_range = abs(value) < 1e9
        except ValueError:
            in_range = False
        if not in_range:
            raise UserError(self.env._(
                "%(value)s is no number: enter the reading of %(name)s as on the instrument.",
                value=str(tap.get("value"))[:40], name=result.name))
        result.value = value

    def _tap_text(self, piece, tap):
        self._get_result(piece, tap).text = str(tap.get("value") or "")[:200]

    def _tap_photo(self, piece, tap):
        text = str(tap.get("value") or "")
        image = text.partition("base64,")[2] or text
        base64_to_image(image)  # raises a message when it is none
        if not tap.get("criterion"):
            self._keep_photo(piece, image)
            return
        result = self._get_result(piece, tap)
        result.photo = image
        if result.type == "photo" and result.verdict == judgement.TODO:
            result.verdict = judgement.PASS

    def _keep_photo(self, piece, image):
        """The first picture of a piece is the one on its rework sheet; others are attached."""
        piece._check_open()
        if not piece.photo:
            piece.photo = image
            return
        self.env["ir.attachment"].create({
            "name": f"{piece.display_name}.jpg", "datas": image,
            "res_model": piece._name, "res_id": piece.id,
        })

    def _tap_note(self, piece, tap):
        piece.note = str(tap.get("value") or "")[:500]

    def _tap_next(self, piece, _tap):
        """Turning to another piece changes nothing; it is counted."""

    def _get_defect(self, tap):
        defect = self._find_record("soko.qc.defect", tap.get("value"))
        if not defect:
            raise UserError(self.env._("This defect code is gone. Choose another one."))
        return defect

    def _get_result(self, piece, tap):
        result = piece.result_ids.filtered(lambda one: one.id == tap.get("criterion"))
        if not result:
            raise UserError(self.env._("This criterion is not on the sheet of the piece."))
        return result

    # === RIGHTS AND SEARCH === #

    @api.model
    def _check_may_inspect(self):
        """:raises AccessError: only inspectors work at the bench"""
        if not self.env["soko.qc.inspection"].has_access("write"):
            raise AccessError(self.env._(
                "Only inspectors work at the bench. Ask a quality manager to make you one."))

    @api.model
    def _get_company_domain(self):
        return Domain("company_id", "in", self.env.companies.ids)

    @api.model
    def _escape(self, code):
        return re.sub(r"([\\%_])", r"\\\1", code)

    @api.model
    def _find_record(self, model, number):
        """Return the record that the page names; none when it is gone or `number` is no id."""
        return self.env[model].browse(number if type(number) is int else None).exists()

    def _browse(self, inspection_id):
        self._check_may_inspect()
        inspection = self._find_record("soko.qc.inspection", inspection_id)
        if not inspection:
            raise UserError(self.env._("This inspection is not there any more."))
        inspection.check_access("write")
        return inspection

    def _describe_closed(self, inspection, code):
        if not inspection:
            return self.env._(
                "Nothing with %s waits to be inspected. Was its receipt validated? Type the lot "
                "by hand if the label is damaged.", code)
        if inspection.state == "cancel":
            return self.env._(
                "%s was cancelled. Take it up again in its form first.", inspection.name)
        return self.env._(
            "%(name)s is decided: %(accepted)g accepted, %(rejected)g rejected.",
            name=inspection.name, accepted=inspection.qty_accepted,
            rejected=inspection.qty_rejected)

    # === WHAT IS TOLD === #

    def _tell_choice(self, inspection):
        return {
            "id": inspection.id,
            "name": inspection.name,
            "lot": inspection.lot_id.name or "",
            "product": inspection.product_id.display_name,
            "maker": inspection.partner_id.name or "",
            "quantity": inspection.quantity,
            "begun": inspection.state == "in_progress",
        }

    def _tell_sheet(self, inspection):
        """Return all that the page needs to go on without a connection."""
        plan = inspection.plan_id
        defects = self.env["soko.qc.defect"].search([], limit=MOST_DEFECTS)
        return {
            **self._tell_choice(inspection),
            "what_to_do": inspection.sample_text or "",
            "instructions": plan.instructions or "",
            "master": bool(plan.image_1920) and plan.id,
            "pieces": [self._tell_piece(piece) for piece in inspection.piece_ids],
            "defects": [{
                "id": defect.id, "code": defect.code, "name": defect.name,
                "severity": defect.severity, "picture": bool(defect.image_1920),
            } for defect in defects.with_context(bin_size=True)],
        }

    def _tell_piece(self, piece):
        return {
            "id": piece.id,
            "number": piece.number,
            "result": piece.result,
            "defects": piece.defect_ids.ids,
            "note": piece.note or "",
            "criteria": [self._tell_criterion(result) for result in piece.result_ids],
        }

    def _tell_criterion(self, result):
        lacks = result.with_context(bin_size=True)._lacks_reading()
        return {
            "id": result.id,
            "name": result.name,
            "type": result.type,
            "severity": result.severity,
            "lower": result.lower,
            "upper": result.upper,
            "unit": result.unit or "",
            "instrument": result.instrument or "",
            "help": result.criterion_id.instructions or "",
            "value": result.value or "",
            "text": result.text or "",
            "verdict": result.verdict,
            "lacks": lacks,
        }
