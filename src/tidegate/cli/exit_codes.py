"""What a command's exit code says; README has the same table, and a test holds the two together."""

from __future__ import annotations

WELL, FAILED, MISUSED, NOT_TAKEN, TOO_FEW, REFUSED = 0, 1, 2, 3, 4, 5

MEANINGS = {
    WELL: "it went well, or was done before",
    FAILED: "it failed, and the sentence says why",
    MISUSED: "the command was not understood",
    NOT_TAKEN: "the gate rejected every algorithm, a newer drop came first, or there is drift or bad data",
    TOO_FEW: "there were too few rows to tell, or no row of ground truth has found its prediction yet",
    REFUSED: "the file was refused: mend it and drop it again",
}

# Of a run by its status, and of a check by its verdict.
OF_STATUS = {
    "FAILED": FAILED,
    "REJECTED": NOT_TAKEN,
    "SUPERSEDED": NOT_TAKEN,
    "REFUSED": REFUSED,
}
# Bad data ends as drift does: both are not what the baseline is, and scripts of before know one code for it.
OF_VERDICT = {"ok": WELL, "bad data": NOT_TAKEN, "drift": NOT_TAKEN, "insufficient": TOO_FEW}
