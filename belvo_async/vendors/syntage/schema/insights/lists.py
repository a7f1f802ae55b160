"""The insights that come in pages. Rows have no ids of their own."""

from __future__ import annotations

from typing import ClassVar

from ..forms.filters import Filter
from ..options import Period
from .counterparties import NetworkCustomer, NetworkVendor, ProductShare
from .forms import DaysOption, InsightList, PeriodOption
from .scores import BuroSummary
from .years import InvoicingYear


class ProductsAndServicesBought(InsightList[ProductShare], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/products-and-services-bought`, of the invoices issued in a period."""

    under: ClassVar[str] = "/insights/products-and-services-bought"
    filters: ClassVar[tuple[Filter, ...]] = (PeriodOption("period", "options"),)
    is_numbered: ClassVar[bool] = True

    period: Period | None = None


class ProductsAndServicesSold(InsightList[ProductShare], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/products-and-services-sold`, of the invoices issued in a period."""

    under: ClassVar[str] = "/insights/products-and-services-sold"
    filters: ClassVar[tuple[Filter, ...]] = (PeriodOption("period", "options"),)
    is_numbered: ClassVar[bool] = True

    period: Period | None = None


class InvoicingAnnualComparison(InsightList[InvoicingYear], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/invoicing-annual-comparison`: a row a fiscal year."""

    under: ClassVar[str] = "/insights/metrics/invoicing-annual-comparison"
    is_sized: ClassVar[bool] = False


class VendorNetwork(InsightList[NetworkVendor], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/vendor-network`: a row for each the entity has bought from."""

    under: ClassVar[str] = "/insights/metrics/vendor-network"
    is_sized: ClassVar[bool] = False


class CustomerNetwork(InsightList[NetworkCustomer], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/customer-network`: a row for each the entity has sold to."""

    under: ClassVar[str] = "/insights/metrics/customer-network"
    is_sized: ClassVar[bool] = False


class BuroSummaries(InsightList[BuroSummary], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/buro-de-credito/summary`, of the reports that were made in a period."""

    under: ClassVar[str] = "/insights/metrics/buro-de-credito/summary"
    filters: ClassVar[tuple[Filter, ...]] = (DaysOption("period", "options", "created_at"),)
    is_sized: ClassVar[bool] = False

    period: Period | None = None
