"""What is wanted, what is known of it, what is left to ask for, and what that costs: no `await`, no vendor."""

from .certificate import Certificate, CertifiedPlan, certify, encode_certificate, read_certificate
from .chunks import Chunk, Proposal, propose
from .coverage import Cell, Coverage, Known, Window, cover
from .estimate import Durations, Estimate, affordable, durations, estimate
from .freshness import Freshness, windows
from .outages import Outage
from .plan import Plan, Settled, check_apart, settle_plan
from .prices import Price, Prices

__all__ = [
    "Cell",
    "Certificate",
    "CertifiedPlan",
    "Chunk",
    "Coverage",
    "Durations",
    "Estimate",
    "Freshness",
    "Known",
    "Outage",
    "Plan",
    "Price",
    "Prices",
    "Proposal",
    "Settled",
    "Window",
    "affordable",
    "certify",
    "check_apart",
    "cover",
    "durations",
    "encode_certificate",
    "estimate",
    "propose",
    "read_certificate",
    "settle_plan",
    "windows",
]
