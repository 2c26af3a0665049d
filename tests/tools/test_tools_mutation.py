"""The deliberate faults of `python -m tools.mutation` fit the code; whether tests catch them takes too long to run here."""

import pytest

from tools.common import ROOT
from tools.mutation import Fault, faults


@pytest.mark.parametrize("fault", faults([]), ids=lambda fault: str(fault.title))
def test_a_fault_fits_one_place(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) == 1, f"update {fault.title!r}"
