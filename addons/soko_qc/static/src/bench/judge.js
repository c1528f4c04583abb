/**
 * The judgement of a piece on the device, until the server's answer takes its place. The rule is
 * that of tools/judgement.py: something critical or major that is wrong fails the piece, an open
 * criterion leaves it open, a minor point is noted. What can be mended goes back instead of failing.
 */

const REJECTING = ["critical", "major"];

/**
 * @param {Object} piece of a sheet
 * @param {Object} severities of defects, by their id
 * @param {"pass"|"rework"|null} chosen what was chosen for the piece by hand
 * @returns {"todo"|"pass"|"fail"|"rework"}
 */
export function judgePiece(piece, severities, chosen) {
    const judged = judgeByRule(piece, severities, chosen === "pass");
    const mend = chosen === "rework" && (judged === "fail" || piece.defects.length);
    return mend ? "rework" : judged;
}

function judgeByRule(piece, severities, passed) {
    const isBad = (one) => one.verdict === "fail" && REJECTING.includes(one.severity);
    if (piece.defects.some((id) => REJECTING.includes(severities[id])) || piece.criteria.some(isBad)) {
        return "fail";
    }
    if (!piece.criteria.length) {
        return passed ? "pass" : "todo";
    }
    return piece.criteria.some((one) => one.verdict === "todo") ? "todo" : "pass";
}

/**
 * @param {string} text as typed, with a point or a comma
 * @returns {number|null} null when it is no number
 */
export function readNumber(text) {
    const plain = String(text).trim().replace(",", ".");
    return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : null;
}

/**
 * @param {Object} criterion of a piece
 * @param {number} value
 * @returns {"pass"|"fail"} by its limits, limits included
 */
export function judgeReading(criterion, value) {
    const fits = criterion.lower - 1e-9 <= value && value <= criterion.upper + 1e-9;
    return fits ? "pass" : "fail";
}
