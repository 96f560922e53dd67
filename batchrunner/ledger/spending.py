"""What have all attempts of a folder cost, or are taken to cost until the service says?

One row holds the sum, kept up by triggers on the attempts: so it is part of the very commit that records an
intent, and can be compared with a cap there and then, however many attempts there are.
"""

from __future__ import annotations

from typing import Final

_COUNTED: Final = """CASE
    WHEN {row}.cost_usd IS NOT NULL THEN CAST(round({row}.cost_usd * 1000000) AS INTEGER)
    WHEN {row}.outcome = 'cancelled' THEN 0
    ELSE ifnull({row}.reserved_micros, 0) END"""

_NEW, _OLD, _ANY = (_COUNTED.format(row=row) for row in ("NEW", "OLD", "attempts"))

SPENDING: Final = f"""
CREATE TABLE spending (         -- one row: what all attempts cost, or are taken to cost until that is known
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    micros INTEGER NOT NULL     -- micro-dollars
) STRICT;
INSERT INTO spending SELECT 1, ifnull(sum({_ANY}), 0) FROM attempts;
CREATE TRIGGER attempt_made AFTER INSERT ON attempts BEGIN
    UPDATE spending SET micros = micros + {_NEW};
END;
CREATE TRIGGER attempt_changed AFTER UPDATE OF cost_usd, reserved_micros, outcome ON attempts BEGIN
    UPDATE spending SET micros = micros + {_NEW} - {_OLD};
END;
CREATE TRIGGER attempt_dropped AFTER DELETE ON attempts BEGIN
    UPDATE spending SET micros = micros - {_OLD};
END;
"""
"""What a cancelled attempt would have cost is free again; one in doubt, failed or lost keeps its reservation
until the service names a cost."""
