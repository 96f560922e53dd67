"""Which service a folder belongs to, and that a rehearsal is never taken for more."""

from __future__ import annotations

import pytest

from batchrunner.ledger import Store
from batchrunner.service import Service, record_origin


@pytest.mark.parametrize(("before", "simulate", "after"), [
    (None, False, "0"), (None, True, "1"), ("1", False, "1"), ("0", False, "0"),
])  # fmt: skip
def test_a_rehearsal_stays_one_for_ever(before, simulate, after):
    store = Store.in_memory()
    store.set_fact("simulated", before)

    record_origin(store, Service(base_url="http://127.0.0.1:1", simulate=simulate))

    assert store.fact("simulated") == after
    store.close()
