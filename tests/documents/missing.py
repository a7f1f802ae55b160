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
        # Background Checks
        "GetBackgroundCheckRecords",
        # Balance Sheet Insight
        "GetMetricsBalanceSheet",
        # Company Verification Reports
        "GetCompanyVerificationReports",
        "GetCompanyVerificationReport",
        "GetCompanyVerificationReportPdf",
        "GetCompanyVerificationReportFoundEntities",
        "GetCompanyVerificationReportFoundEntity",
        "GetEntityCompanyVerificationReports",
        # Corporate Structure Insight
        "GetCorporateStructureCurrentPowersInsight",
        # Financial Ratios Insight
        "GetFinancialRatiosInsight",
        # Income Statement Insight
        "GetMetricsIncomeStatementInsight",
        # RPC Shareholders Insight
        "GetRpcShareholdersInsight",
        # Risks Insight
        "GetRisksInsight",
        # Scores Insight
        "GetBuroDeCreditoSummaryInsight",
        "ExportBuroDeCreditoSummaryInsight",
        "GetScoresInsight",
        "GetSyntageScoreDistribution",
        # Shareholders
        "GetEntityShareholders",
        "CreateEntityShareholder",
        "GetShareholders",
        "GetShareholder",
        "UpdateShareholder",
        "DeleteShareholder",
        "GetShareholderRelations",
        "GetShareholderRelation",
        "UpdateShareholderRelation",
        "DeleteShareholderRelation",
        "PromoteShareholderRelation",
        "GetShareholderRelationSources",
        "GetShareholderRelationSource",
        "DeleteShareholderRelationSource",
        # Shareholders Insight
        "GetShareholdersInsight",
        # Summary Insight
        "GetSummaryInsight",
        # Trial Balance Insight
        "GetTrialBalanceInsight",
    }
)

# Filters of lists that are offered, by operation. Of a field with operators, the field stands for all of them.
MISSING_FILTERS: Final[Mapping[str, frozenset[str]]] = {
    "GetBackgroundChecks": frozenset(
        {
            "order[createdAt]",
            "order[score]",
            "order[updatedAt]",
        }
    ),
    "GetEntityBackgroundChecks": frozenset(
        {
            "order[createdAt]",
            "order[score]",
            "order[updatedAt]",
        }
    ),
    "GetEntityMxSatCertificates": frozenset(
        {
            "order[validFrom]",
            "order[validTo]",
        }
    ),
    "ListCredential": frozenset(
        {
            "deactivatedAt",
            "order[createdAt]",
        }
    ),
    "ListElectronicAccountingRecords": frozenset(
        {
            "code",
            "filename",
            "order[month]",
            "order[receivedAt]",
            "order[year]",
        }
    ),
    "ListEntity": frozenset(
        {
            "order[createdAt]",
            "order[updatedAt]",
            "taxpayer.registrationDate",
        }
    ),
    "ListEntityEvents": frozenset(
        {
            "order[createdAt]",
        }
    ),
    "ListEvent": frozenset(
        {
            "order[createdAt]",
        }
    ),
    "ListExtraction": frozenset(
        {
            "order[createdAt]",
            "order[finishedAt]",
            "order[startedAt]",
            "order[updatedAt]",
        }
    ),
    "ListReports": frozenset(
        {
            "order[createdAt]",
        }
    ),
    "ListRugGarantias": frozenset(
        {
            "acreedor",
            "descripcionDeLosBienes",
            "fechaDeCelebracionDelActoOContrato",
            "fechaDeTerminacionDelActoOContrato",
            "monto",
            "order[createdAt]",
            "order[updatedAt]",
        }
    ),
    "ListRugOperaciones": frozenset(
        {
            "order[createdAt]",
            "order[updatedAt]",
        }
    ),
    "ListTaxpayerInvoice": frozenset(
        {
            "cancellationStatus",
            "cancellationStatusProcess",
            "discount",
            "dueAmount",
            "exists[paymentMethod]",
            "issuer.blacklistStatus",
            "issuer.name",
            "issuer.taxRegime",
            "lastPaymentDate",
            "order[amount]",
            "order[canceledAt]",
            "order[certifiedAt]",
            "order[issuedAt]",
            "pac",
            "paidAmount",
            "receiver.blacklistStatus",
            "receiver.name",
            "subtotal",
            "tax",
            "total",
            "version",
        }
    ),
    "ListTaxpayerTaxComplianceCheck": frozenset(
        {
            "order[checkedAt]",
            "order[createdAt]",
            "taxpayer.name",
            "taxpayer.rfc",
        }
    ),
    "ListTaxpayerTaxRetention": frozenset(
        {
            "internalIdentifier",
            "issuer.curp",
            "issuer.name",
            "order[canceledAt]",
            "order[certifiedAt]",
            "order[issuedAt]",
            "order[periodFrom]",
            "order[periodTo]",
            "order[totalExemptAmount]",
            "order[totalOperationAmount]",
            "order[totalRetainedAmount]",
            "order[totalTaxableAmount]",
            "pac",
            "periodFrom",
            "periodTo",
            "receiver.curp",
            "receiver.name",
            "receiver.nationality",
            "totalExemptAmount",
            "totalOperationAmount",
            "totalRetainedAmount",
            "totalTaxableAmount",
            "version",
        }
    ),
    "ListTaxpayerTaxReturn": frozenset(
        {
            "captureLine",
            "complementary",
            "order[period]",
            "order[presentedAt]",
        }
    ),
}
