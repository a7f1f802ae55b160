"""What the documents name and no type offers yet.

These sets may only shrink: whoever adds a type, or a filter, deletes its lines here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Operations, by the names the documents give them.
STILL_MISSING: Final = frozenset(
    {
        # Syntage
        # Balance Sheet Insight
        "GetMetricsBalanceSheet",
        # DS MX Buró de Crédito Authorizations
        "GetMxBuroDeCreditoAuthorizations",
        "GetMxBuroDeCreditoAuthorization",
        "DeleteMxBuroDeCreditoAuthorization",
        "GetEntityMxBuroDeCreditoAuthorization",
        "CreateMxBuroDeCreditoAuthorization",
        # DS MX SAT Invoice Relations
        "ListEntityInvoiceRelations",
        # DS MX SAT Invoices
        "TagInvoicesBatch",
        "UntagInvoicesBatch",
        "TagInvoice",
        "UntagInvoice",
        # DS Syntage Score
        "CalculateSyntageScore",
        # Entities
        "TagEntitiesBatch",
        "UntagEntitiesBatch",
        "UpdateEntity",
        "DeleteEntity",
        "ListEntityIdentifiers",
        "AddEntityIdentifier",
        "CreateEntityTag",
        "GetEntityTag",
        "UpdateEntityTag",
        "DeleteEntityTag",
        # Events
        "DeleteEvent",
        # Financial Ratios Insight
        "GetFinancialRatiosInsight",
        # Income Statement Insight
        "GetMetricsIncomeStatementInsight",
        # Mexico Addresses
        "GetMxAddressesByPostalCode",
        # Reports
        "ListReports",
        "CreateReport",
        "GetReport",
        "UpdateReport",
        "DeleteReport",
        # Risks Insight
        "GetRisksInsight",
        # Scheduler Rules
        "CreateSchedulerRule",
        "GetTSchedulerRule",
        "UpdateSchedulerRule",
        "DeleteSchedulerRule",
        # Schedulers
        "ListSchedulers",
        "CreateScheduler",
        "GetTScheduler",
        "UpdateScheduler",
        "DeleteScheduler",
        # Scores Insight
        "GetBuroDeCreditoSummaryInsight",
        "ExportBuroDeCreditoSummaryInsight",
        "GetScoresInsight",
        "GetSyntageScoreDistribution",
        # Summary Insight
        "GetSummaryInsight",
        # Tags
        "CreateTag",
        "UpdateTag",
        "DeleteTag",
        # Trial Balance Insight
        "GetTrialBalanceInsight",
    }
)

# Filters of lists that are offered, by operation. Of a field with operators, the field stands for all of them.
MISSING_FILTERS: Final[Mapping[str, frozenset[str]]] = {}
