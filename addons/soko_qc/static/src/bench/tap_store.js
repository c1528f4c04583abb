/**
 * Touches and sheets on the device itself, so that a lost connection, a closed page or an empty
 * battery loses nothing. Photos are too large for localStorage, hence IndexedDB.
 */

const VERSION = 1;

function promised(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

export class TapStore {
    /**
     * @param {string} name of the database on the device: one for each Odoo database and user
     */
    constructor(name) {
        this.name = name;
    }

    async open() {
        const request = indexedDB.open(this.name, VERSION);
        request.onupgradeneeded = () => {
            request.result.createObjectStore("taps", { keyPath: "order", autoIncrement: true });
            request.result.createObjectStore("sheets", { keyPath: "id" });
        };
        this.db = await promised(request);
    }

    _store(name, mode) {
        return this.db.transaction(name, mode).objectStore(name);
    }

    /** Keep a touch; it is on the device when the promise is fulfilled. */
    async addTap(tap) {
        return promised(this._store("taps", "readwrite").add(tap));
    }

    /**
     * @param {number} most how many
     * @returns {Promise<Object[]>} the oldest touches that nobody has answered yet
     */
    async getTaps(most) {
        return promised(this._store("taps", "readonly").getAll(null, most));
    }

    async countTaps() {
        return promised(this._store("taps", "readonly").count());
    }

    async removeTap(order) {
        return promised(this._store("taps", "readwrite").delete(order));
    }

    async keepSheet(sheet) {
        return promised(this._store("sheets", "readwrite").put(sheet));
    }

    /** @returns {Promise<Object|undefined>} the sheet that was open last */
    async getSheet() {
        const sheets = await promised(this._store("sheets", "readonly").getAll());
        return sheets[0];
    }

    async dropSheets() {
        return promised(this._store("sheets", "readwrite").clear());
    }
}
