"""What have all attempts of a folder cost, or are taken to cost until the service says?

One row holds the sums, kept up by triggers on the attempts: so they are part of the very commit that records
an intent, and can be compared with a cap there and then, and told at once, however many attempts there are.
"""

from __future__ import annotations

from typing import Final

MICROS: Final = "CAST(round({row}.cost_usd * 1000000) AS INTEGER)"
"""The service counts in micro-dollars; whole ones add up exactly.  Of an attempt's *row*."""

_COUNTED: Final = f"""CASE
    WHEN {{row}}.cost_usd IS NOT NULL THEN {MICROS}
    WHEN {{row}}.outcome = 'cancelled' THEN 0
    ELSE ifnull({{row}}.reserved_micros, 0) END"""

_SUMS: Final = {
    "micros": _COUNTED,
    "known": f"ifnull({MICROS}, 0)",
    "priced": "({row}.cost_usd IS NOT NULL)",
}


def _changed(*rows: tuple[str, str]) -> str:
    """Return the assignments that add or take away what *rows* count: pairs of a sign and a row."""
    return ", ".join(
        f"{name} = {name} {' '.join(f'{sign} ({counted.format(row=row)})' for sign, row in rows)}"
        for name, counted in _SUMS.items()
    )


SPENDING: Final = f"""
CREATE TABLE spending (         -- one row of sums over all attempts
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    micros INTEGER NOT NULL,    -- micro-dollars they cost, or are taken to cost until that is known
    known  INTEGER NOT NULL,    -- of these: what the service said
    priced INTEGER NOT NULL     -- of how many attempts it said so
) STRICT;
INSERT INTO spending SELECT 1, {
    ", ".join(f"ifnull(sum({counted.format(row='attempts')}), 0)" for counted in _SUMS.values())
} FROM attempts;
CREATE TRIGGER attempt_made AFTER INSERT ON attempts BEGIN
    UPDATE spending SET {_changed(("+", "NEW"))};
END;
CREATE TRIGGER attempt_changed AFTER UPDATE OF cost_usd, reserved_micros, outcome ON attempts BEGIN
    UPDATE spending SET {_changed(("+", "NEW"), ("-", "OLD"))};
END;
CREATE TRIGGER attempt_dropped AFTER DELETE ON attempts BEGIN
    UPDATE spending SET {_changed(("-", "OLD"))};
END;
"""
"""What a cancelled attempt would have cost is free again; one in doubt, failed or lost keeps its reservation
until the service names a cost."""

SPENDING_ANEW: Final = f"""
DROP TRIGGER attempt_made; DROP TRIGGER attempt_changed; DROP TRIGGER attempt_dropped; DROP TABLE spending;
{SPENDING}"""
