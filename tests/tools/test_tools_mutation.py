"""The deliberate faults of `python -m tools.mutation` fit the code; that tests catch them is seen by running it."""

import pytest

from tools.common import ROOT
from tools.mutation import Fault, faults


@pytest.mark.parametrize("fault", faults([]), ids=lambda fault: str(fault.title))
def test_a_fault_fits_one_place(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) == 1, f"update {fault.title!r}"
