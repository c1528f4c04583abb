import { Component, markup, onWillStart, onWillUnmount, useExternalListener, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";
import { session } from "@web/session";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { judgePiece, judgeReading, readNumber } from "./judge";
import { TapStore } from "./tap_store";

const AT_ONCE = 20; // touches in one call
const RETRY_MS = 4000;
const SCANNER_MS = 160; // a scanner's keys follow one another faster than this, a finger's don't
const PHOTO_PIXELS = 1280;

/** Return a key that no other device gives to a touch. */
function makeKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class SokoQcBench extends Component {
    static template = "soko_qc.Bench";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.store = new TapStore(`soko_qc_bench.${session.db}.${user.userId}`);
        this.state = useState({
            sheet: null, index: 0, choices: null, message: "", code: "", waiting: 0,
            offline: false, loading: true, done: null, reading: {},
        });
        this.keyTimer = null;
        this.retryTimer = null;
        this.sending = false;
        this.gone = false;
        useBus(useService("barcode").bus, "barcode_scanned", (ev) => {
            clearTimeout(this.keyTimer);
            this.scan(ev.detail.barcode);
        });
        useExternalListener(window, "keydown", (ev) => this.onKeydown(ev));
        useExternalListener(window, "online", () => this.send());
        onWillStart(() => this.start());
        onWillUnmount(() => {
            this.gone = true;
            clearTimeout(this.keyTimer);
            clearTimeout(this.retryTimer);
        });
    }

    // ------------------------------------------------------------------ what is open
    async start() {
        await this.store.open();
        this.state.waiting = await this.store.countTaps();
        const asked = this.props.action.params?.inspection;
        const kept = await this.store.getSheet();
        if (kept && this.state.waiting) {
            this.show(kept); // what was tapped on it is not all sent
        }
        await this.send();
        if (asked && !this.state.waiting) {
            await this.open(asked);
        } else if (!this.state.sheet) {
            await this.list();
        }
        this.state.loading = false;
    }

    get piece() {
        return this.state.sheet?.pieces[this.state.index];
    }

    get canMend() {
        return this.piece.result === "fail";
    }

    get severities() {
        return Object.fromEntries(this.state.sheet.defects.map((one) => [one.id, one.severity]));
    }

    get instructions() {
        // sanitized by the server's Html field
        return markup(this.state.sheet.instructions);
    }

    get counts() {
        const counts = { todo: 0, pass: 0, fail: 0, rework: 0 };
        for (const piece of this.state.sheet.pieces) {
            counts[piece.result] += 1;
        }
        return counts;
    }

    /** Call the server; null when there is no connection, which the page says at its top. */
    async call(method, args) {
        try {
            const answer = await this.orm.silent.call("soko.qc.bench", method, args);
            this.state.offline = false;
            return answer;
        } catch (error) {
            if (error instanceof ConnectionLostError) {
                this.state.offline = true;
                return null;
            }
            if (error instanceof RPCError) {
                this.state.message = error.data?.message || error.message;
                return null;
            }
            throw error;
        }
    }

    show(sheet) {
        Object.assign(this.state, {
            sheet, choices: null, done: null, message: sheet.message || "", reading: {},
        });
        const open = sheet.pieces.findIndex((piece) => piece.result === "todo");
        this.state.index = Math.max(open, 0);
    }

    async take(answer) {
        if (answer?.sheet) {
            await this.store.dropSheets();
            await this.store.keepSheet(answer.sheet);
            this.show(answer.sheet);
        } else if (answer) {
            this.state.choices = answer.choices || this.state.choices;
            this.state.message = answer.message || "";
        }
    }

    async list() {
        const choices = await this.call("waiting", []);
        Object.assign(this.state, { sheet: null, done: null, choices: choices || [] });
    }

    async open(id) {
        const sheet = await this.call("open", [id]);
        await this.take(sheet && { sheet });
    }

    async scan(code) {
        if (this.state.waiting && this.state.offline) {
            this.state.message = _t("There is no connection. Finish this lot; what you tap is kept.");
            return;
        }
        await this.send();
        this.state.code = "";
        await this.take(await this.call("find", [code]));
    }

    onSearch(ev) {
        ev.preventDefault();
        return this.scan(this.state.code);
    }

    async leave() {
        await this.send();
        if (!this.state.waiting) {
            await this.store.dropSheets();
            await this.list();
        } else {
            this.state.message = _t("%s touches are not sent yet; wait for the connection.", this.state.waiting);
        }
    }

    exit() {
        return this.action.doAction("soko_qc.soko_qc_inspection_action", { clearBreadcrumbs: true });
    }

    // ------------------------------------------------------------------ touches
    /** Keep a touch on the device, show what it does, and send it when there is a connection. */
    async tap(kind, { value = null, criterion = null, piece = this.piece } = {}) {
        const tap = { key: makeKey(), kind, piece: piece.id, value, criterion, at: Date.now() };
        this.state.message = "";
        this.apply(piece, tap);
        await this.store.addTap(tap);
        this.state.waiting += 1;
        await this.store.keepSheet(JSON.parse(JSON.stringify(this.state.sheet)));
        this.send(); // nobody waits for it
    }

    apply(piece, tap) {
        const criterion = piece.criteria.find((one) => one.id === tap.criterion);
        let chosen = ["pass", "rework"].includes(piece.result) ? piece.result : null;
        if (tap.kind === "rework") {
            chosen = "rework";
        } else if (tap.kind === "pass") {
            chosen = "pass";
            piece.criteria.filter((one) => !one.lacks).forEach((one) => (one.verdict = "pass"));
        } else if (tap.kind === "open") {
            chosen = null;
            piece.defects = [];
            piece.criteria.forEach((one) => (one.verdict = "todo"));
        } else if (tap.kind === "defect") {
            piece.defects = [...piece.defects, tap.value];
        } else if (tap.kind === "no_defect") {
            piece.defects = piece.defects.filter((id) => id !== tap.value);
        } else if (tap.kind === "verdict") {
            criterion.verdict = tap.value;
        } else if (tap.kind === "reading") {
            criterion.value = tap.value;
            criterion.lacks = false;
            criterion.verdict = judgeReading(criterion, tap.value);
        } else if (tap.kind === "text") {
            criterion.text = tap.value;
            criterion.lacks = false;
            criterion.verdict = criterion.verdict === "todo" ? "pass" : criterion.verdict;
        } else if (tap.kind === "photo" && criterion) {
            criterion.lacks = false;
            criterion.verdict = criterion.verdict === "todo" ? "pass" : criterion.verdict;
        } else if (tap.kind === "note") {
            piece.note = tap.value;
        }
        piece.result = judgePiece(piece, this.severities, chosen);
    }

    async pass() {
        if (this.piece.defects.length) {
            return this.next();
        }
        await this.tap("pass");
        if (this.piece.result === "pass") {
            this.turn(1);
        } else {
            this.state.message = _t("This piece still needs what is marked below.");
        }
    }

    toggleDefect(defect) {
        const seen = this.piece.defects.includes(defect.id);
        return this.tap(seen ? "no_defect" : "defect", { value: defect.id });
    }

    judge(criterion, verdict) {
        if (verdict === "pass" && criterion.lacks) {
            this.state.message = _t("%s needs its reading or photo first.", criterion.name);
            return;
        }
        return this.tap("verdict", { criterion: criterion.id, value: verdict });
    }

    read(criterion, ev) {
        if (criterion.type === "text") {
            return this.tap("text", { criterion: criterion.id, value: ev.target.value });
        }
        const value = readNumber(ev.target.value);
        if (value === null) {
            this.state.message = _t("%(typed)s is no number: enter %(name)s as on the instrument.", {
                typed: ev.target.value, name: criterion.name,
            });
            return;
        }
        return this.tap("reading", { criterion: criterion.id, value });
    }

    note(ev) {
        return this.tap("note", { value: ev.target.value });
    }

    async photo(ev, criterion) {
        const [file] = ev.target.files;
        ev.target.value = "";
        if (file) {
            const value = await this.shrink(file);
            await this.tap("photo", { criterion: criterion?.id ?? null, value });
        }
    }

    /** Return a photo as JPEG of a size that a slow line carries. */
    async shrink(file) {
        const bitmap = await createImageBitmap(file);
        const scale = Math.min(1, PHOTO_PIXELS / Math.max(bitmap.width, bitmap.height));
        const canvas = document.createElement("canvas");
        canvas.width = Math.round(bitmap.width * scale);
        canvas.height = Math.round(bitmap.height * scale);
        canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
        return canvas.toDataURL("image/jpeg", 0.8).split("base64,")[1];
    }

    rework() {
        return this.tap("rework");
    }

    undo() {
        return this.tap("open");
    }

    async next() {
        await this.tap("next");
        this.turn(1);
    }

    turn(step) {
        const last = this.state.sheet.pieces.length;
        this.state.index = Math.min(Math.max(this.state.index + step, 0), last);
        this.state.reading = {};
    }

    goTo(index) {
        this.state.index = index;
    }

    // ------------------------------------------------------------------ sending
    /** Send what is kept, the oldest first; whoever calls meanwhile is served by the same turn. */
    async send() {
        if (this.sending || this.gone) {
            return;
        }
        this.sending = true;
        clearTimeout(this.retryTimer);
        try {
            while (await this.sendSome()) {
                // as long as there are more
            }
        } finally {
            this.sending = false;
        }
        if (this.state.waiting && !this.gone) {
            this.retryTimer = browser.setTimeout(() => this.send(), RETRY_MS);
        }
    }

    /** @returns {Promise<boolean>} whether there may be more to send now */
    async sendSome() {
        const kept = await this.store.getTaps(AT_ONCE);
        if (!kept.length) {
            this.state.waiting = 0;
            return false;
        }
        const answer = await this.call("save", [kept]);
        if (!answer) {
            return false;
        }
        for (const tap of kept) {
            const refusal = answer.answers[tap.key];
            if (refusal !== undefined) {
                await this.store.removeTap(tap.order);
            }
            this.state.message = refusal || this.state.message;
        }
        this.state.waiting = await this.store.countTaps();
        if (!this.state.waiting) {
            this.refresh(answer.pieces);
        }
        return this.state.waiting > 0;
    }

    /** Show pieces as the server has them: what was tapped is all there. */
    refresh(pieces) {
        for (const piece of pieces) {
            const shown = this.state.sheet?.pieces.find((one) => one.id === piece.id);
            if (shown) {
                Object.assign(shown, piece);
            }
        }
    }

    // ------------------------------------------------------------------ the end
    decide() {
        const { pass, fail, rework } = this.counts;
        this.dialog.add(ConfirmationDialog, {
            title: _t("Decide and move"),
            body: _t(
                "%(pass)s pass, %(rework)s go back to be mended, %(fail)s fail. The pieces are moved; this is final.",
                { pass, rework, fail }
            ),
            confirmLabel: _t("Decide and move"),
            confirm: () => this.finish(),
            cancel: () => {},
        });
    }

    async finish() {
        await this.send();
        if (this.state.waiting) {
            this.state.message = _t("%s touches are not sent yet; wait for the connection.", this.state.waiting);
            return;
        }
        const answer = await this.call("decide", [this.state.sheet.id]);
        if (answer?.done) {
            await this.store.dropSheets();
            await this.list();
            this.state.done = answer.done;
        } else if (answer) {
            await this.take({ sheet: { ...answer.sheet, message: answer.message } });
        }
    }

    // ------------------------------------------------------------------ keys
    /**
     * Keys of a keyboard, not of a scanner, which types a code within some milliseconds: a key has
     * its effect when no other follows at once.
     */
    onKeydown(ev) {
        clearTimeout(this.keyTimer);
        const typing = ev.target.matches("input, textarea, select, [contenteditable]");
        if (typing || ev.ctrlKey || ev.metaKey || ev.altKey || !this.state.sheet) {
            return;
        }
        const effect = this.getEffect(ev.key);
        if (effect && !document.querySelector(".modal")) {
            ev.preventDefault();
            this.keyTimer = browser.setTimeout(effect, SCANNER_MS);
        }
    }

    getEffect(key) {
        if (key === "ArrowLeft") {
            return () => this.turn(-1);
        }
        if (!this.piece) {
            return null;
        }
        const keys = {
            p: () => this.pass(), " ": () => this.pass(), ArrowRight: () => this.next(),
            n: () => this.next(), u: () => this.undo(),
            r: () => this.canMend && this.rework(),
        };
        const defect = /^[1-9]$/.test(key) && this.state.sheet.defects[key - 1];
        return defect ? () => this.toggleDefect(defect) : keys[key.toLowerCase?.() ?? key] || keys[key];
    }
}

registry.category("actions").add("soko_qc_bench", SokoQcBench);
