"""What changed, record by record: values in a form in which spelling makes no difference, and their comparison. Pure.

Nothing imports this room unless changes are asked for.
"""

from .change import Change
from .compare import Compared, Comparison, KnownRecord
from .fingerprints import Fingerprints
from .normal import normal

__all__ = ["Change", "Compared", "Comparison", "Fingerprints", "KnownRecord", "normal"]
