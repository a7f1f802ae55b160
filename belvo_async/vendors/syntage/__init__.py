"""Syntage: extractions of Mexican fiscal data (docs.syntage.com).

`Syntage` goes into a session. `Extraction` with an options struct and `Export` are what it fires; the plurals
(`Invoices`, `TaxReturns`, ...) what it lists; `Get...`, `Create...` and the other calls what it is asked plainly;
`FileDownload`, `Cfdi` and their like what it downloads; the rest are records.
"""

from typing import Final

from .dialect import Syntage as Syntage
from .schema.account import (
    Credential as Credential,
    Entity as Entity,
    EntityAdded as EntityAdded,
    EntityTag as EntityTag,
    Event as Event,
    EventData as EventData,
    ExportState as ExportState,
    ExtractionState as ExtractionState,
    StatusReason as StatusReason,
    Tag as Tag,
)
from .schema.calls import (
    Ciec as Ciec,
    CreateCredential as CreateCredential,
    CreateEntity as CreateEntity,
    DeleteCredential as DeleteCredential,
    Efirma as Efirma,
    RevalidateCredential as RevalidateCredential,
)
from .schema.downloads import (
    BackgroundCheckPdf as BackgroundCheckPdf,
    Cfdi as Cfdi,
    ExportFile as ExportFile,
    FileDownload as FileDownload,
    TaxRetentionCfdi as TaxRetentionCfdi,
    TaxReturnData as TaxReturnData,
    TaxReturnPdf as TaxReturnPdf,
)
from .schema.fiscal_queries import (
    BackgroundChecks as BackgroundChecks,
    BilReports as BilReports,
    BuroReports as BuroReports,
    ElectronicAccountingRecords as ElectronicAccountingRecords,
    RpcActos as RpcActos,
    RpcEntidades as RpcEntidades,
    RugGarantias as RugGarantias,
    RugOperaciones as RugOperaciones,
    SatCertificates as SatCertificates,
    TaxComplianceChecks as TaxComplianceChecks,
    TaxRetentions as TaxRetentions,
    TaxReturns as TaxReturns,
    TaxStatuses as TaxStatuses,
)
from .schema.forms.bounds import (
    AmountRange as AmountRange,
    Bound as Bound,
    DayBound as DayBound,
    Strictly as Strictly,
)
from .schema.gets import (
    GetBackgroundCheck as GetBackgroundCheck,
    GetBilReport as GetBilReport,
    GetBuroReport as GetBuroReport,
    GetCredential as GetCredential,
    GetElectronicAccountingRecord as GetElectronicAccountingRecord,
    GetEntity as GetEntity,
    GetEvent as GetEvent,
    GetExport as GetExport,
    GetExtraction as GetExtraction,
    GetFile as GetFile,
    GetInvoice as GetInvoice,
    GetInvoiceBatchPayment as GetInvoiceBatchPayment,
    GetInvoiceCreditNote as GetInvoiceCreditNote,
    GetInvoiceLineItem as GetInvoiceLineItem,
    GetInvoicePayment as GetInvoicePayment,
    GetInvoiceRelation as GetInvoiceRelation,
    GetRpcActo as GetRpcActo,
    GetRpcEntidade as GetRpcEntidade,
    GetRpcSocio as GetRpcSocio,
    GetRugGarantia as GetRugGarantia,
    GetRugOperacion as GetRugOperacion,
    GetSatCertificate as GetSatCertificate,
    GetSatCfdi as GetSatCfdi,
    GetTaxComplianceCheck as GetTaxComplianceCheck,
    GetTaxRetention as GetTaxRetention,
    GetTaxReturn as GetTaxReturn,
    GetTaxStatus as GetTaxStatus,
)
from .schema.insights.counterparties import (
    BlacklistedInvoices as BlacklistedInvoices,
    BlacklistedTaxpayer as BlacklistedTaxpayer,
    BlacklistSides as BlacklistSides,
    Concentration as Concentration,
    DatedTotal as DatedTotal,
    FinancialInstitution as FinancialInstitution,
    FinancialInstitutions as FinancialInstitutions,
    GovernmentCustomer as GovernmentCustomer,
    GovernmentCustomers as GovernmentCustomers,
    InvoicingBlacklist as InvoicingBlacklist,
    MonthTotal as MonthTotal,
    NetworkCustomer as NetworkCustomer,
    NetworkVendor as NetworkVendor,
    ProductShare as ProductShare,
)
from .schema.insights.export import InsightExport as InsightExport
from .schema.insights.forms import Periodicity as Periodicity
from .schema.insights.gets import (
    GetAccountsPayable as GetAccountsPayable,
    GetAccountsReceivable as GetAccountsReceivable,
    GetCashFlow as GetCashFlow,
    GetCustomerConcentration as GetCustomerConcentration,
    GetEmployees as GetEmployees,
    GetExpenditures as GetExpenditures,
    GetFinancialInstitutions as GetFinancialInstitutions,
    GetGovernmentCustomers as GetGovernmentCustomers,
    GetInvoicingBlacklist as GetInvoicingBlacklist,
    GetInvoicingConcentration as GetInvoicingConcentration,
    GetMoratoryInterest as GetMoratoryInterest,
    GetSalesRevenue as GetSalesRevenue,
    GetSupplierConcentration as GetSupplierConcentration,
)
from .schema.insights.lists import (
    CustomerNetwork as CustomerNetwork,
    InvoicingAnnualComparison as InvoicingAnnualComparison,
    ProductsAndServicesBought as ProductsAndServicesBought,
    ProductsAndServicesSold as ProductsAndServicesSold,
    VendorNetwork as VendorNetwork,
)
from .schema.insights.series import (
    Accounts as Accounts,
    AccountsRow as AccountsRow,
    AccountsSides as AccountsSides,
    CashFlow as CashFlow,
    CashFlowRow as CashFlowRow,
    DataQuality as DataQuality,
    Employees as Employees,
    EmployeesRow as EmployeesRow,
    ExpenditureRow as ExpenditureRow,
    Expenditures as Expenditures,
    RevenueRow as RevenueRow,
    SalesRevenue as SalesRevenue,
    SeriesRow as SeriesRow,
)
from .schema.insights.years import (
    InvoicingYear as InvoicingYear,
    MoratoryInstitution as MoratoryInstitution,
    MoratoryInstitutionMonth as MoratoryInstitutionMonth,
    MoratoryInterest as MoratoryInterest,
    MoratoryMonth as MoratoryMonth,
    MoratorySummary as MoratorySummary,
)
from .schema.invoices import (
    Bank as Bank,
    Invoice as Invoice,
    InvoiceBatchPayment as InvoiceBatchPayment,
    InvoiceCreditNote as InvoiceCreditNote,
    InvoiceLineItem as InvoiceLineItem,
    InvoicePayment as InvoicePayment,
    InvoiceRelation as InvoiceRelation,
    InvoiceTaxes as InvoiceTaxes,
    Issuer as Issuer,
    LineItemTaxes as LineItemTaxes,
    Receiver as Receiver,
    SatCfdi as SatCfdi,
)
from .schema.options import (
    EXTRACTORS as EXTRACTORS,
    INVOICE_TYPES as INVOICE_TYPES,
    BuroOptions as BuroOptions,
    ElectronicAccountingOptions as ElectronicAccountingOptions,
    InvoiceOptions as InvoiceOptions,
    InvoiceType as InvoiceType,
    NoOptions as NoOptions,
    Options as Options,
    Period as Period,
    TaxRetentionOptions as TaxRetentionOptions,
    TaxReturnOptions as TaxReturnOptions,
)
from .schema.ownership.calls import (
    CreateShareholder as CreateShareholder,
    DeleteShareholder as DeleteShareholder,
    DeleteShareholderRelation as DeleteShareholderRelation,
    DeleteShareholderSource as DeleteShareholderSource,
    GetShareholder as GetShareholder,
    GetShareholderRelation as GetShareholderRelation,
    GetShareholderSource as GetShareholderSource,
    PromoteShareholder as PromoteShareholder,
    UpdateShareholder as UpdateShareholder,
    UpdateShareholderRelation as UpdateShareholderRelation,
)
from .schema.ownership.checks import (
    BackgroundCategory as BackgroundCategory,
    BackgroundCheckRecord as BackgroundCheckRecord,
    BackgroundCheckRecords as BackgroundCheckRecords,
    BackgroundField as BackgroundField,
    BackgroundSection as BackgroundSection,
)
from .schema.ownership.insights import (
    CurrentPower as CurrentPower,
    CurrentPowers as CurrentPowers,
    GetRpcShareholders as GetRpcShareholders,
    PowerHolder as PowerHolder,
    RpcShareholder as RpcShareholder,
    RpcShareholders as RpcShareholders,
    ShareholderInsight as ShareholderInsight,
    ShareholderInsights as ShareholderInsights,
    ShareholderScore as ShareholderScore,
)
from .schema.ownership.shareholders import (
    RelationType as RelationType,
    Shareholder as Shareholder,
    ShareholderRelation as ShareholderRelation,
    ShareholderRelations as ShareholderRelations,
    Shareholders as Shareholders,
    ShareholderSource as ShareholderSource,
    ShareholderSources as ShareholderSources,
)
from .schema.ownership.verification import (
    CompanyVerificationPdf as CompanyVerificationPdf,
    CompanyVerificationReport as CompanyVerificationReport,
    CompanyVerificationReports as CompanyVerificationReports,
    FoundEntities as FoundEntities,
    FoundEntity as FoundEntity,
    GetCompanyVerificationReport as GetCompanyVerificationReport,
    GetFoundEntity as GetFoundEntity,
    Power as Power,
    SeriesHolding as SeriesHolding,
)
from .schema.queries import (
    Credentials as Credentials,
    Entities as Entities,
    EntityTags as EntityTags,
    Events as Events,
    Extractions as Extractions,
    InvoiceBatchPayments as InvoiceBatchPayments,
    InvoiceCreditNotes as InvoiceCreditNotes,
    InvoiceLineItems as InvoiceLineItems,
    InvoicePayments as InvoicePayments,
    InvoiceRelations as InvoiceRelations,
    Invoices as Invoices,
    Tags as Tags,
)
from .schema.record import File as File, Taxpayer as Taxpayer
from .schema.registers import (
    BackgroundCheck as BackgroundCheck,
    BackgroundDatabase as BackgroundDatabase,
    BackgroundDatabaseStatus as BackgroundDatabaseStatus,
    BackgroundScore as BackgroundScore,
    BilReport as BilReport,
    BuroReport as BuroReport,
    RpcActo as RpcActo,
    RpcEntidade as RpcEntidade,
    RpcEntidadeName as RpcEntidadeName,
    RpcSocio as RpcSocio,
    RugGarantia as RugGarantia,
    RugOperacion as RugOperacion,
    RugOperacionOtorgante as RugOperacionOtorgante,
    RugOtorgante as RugOtorgante,
)
from .schema.tasks import Export as Export, ExportFormat as ExportFormat, Extraction as Extraction, FileType as FileType
from .schema.taxes import (
    Address as Address,
    CertificateIssuer as CertificateIssuer,
    CertificateSubject as CertificateSubject,
    CheckedTaxpayer as CheckedTaxpayer,
    Company as Company,
    EconomicActivity as EconomicActivity,
    ElectronicAccountingRecord as ElectronicAccountingRecord,
    Obligation as Obligation,
    Person as Person,
    RetentionIssuer as RetentionIssuer,
    RetentionItem as RetentionItem,
    RetentionReceiver as RetentionReceiver,
    SatCertificate as SatCertificate,
    TaxComplianceCheck as TaxComplianceCheck,
    TaxPayment as TaxPayment,
    TaxRegime as TaxRegime,
    TaxRetention as TaxRetention,
    TaxReturn as TaxReturn,
    TaxStatus as TaxStatus,
)
from .schema.workspace.addresses import PostalAddress as PostalAddress, PostalAddresses as PostalAddresses
from .schema.workspace.authorizations import (
    BuroAddress as BuroAddress,
    BuroAuthorization as BuroAuthorization,
    BuroAuthorizations as BuroAuthorizations,
    BuroCompany as BuroCompany,
    BuroPerson as BuroPerson,
    CreateBuroAuthorization as CreateBuroAuthorization,
    DeleteBuroAuthorization as DeleteBuroAuthorization,
    GetBuroAuthorization as GetBuroAuthorization,
)
from .schema.workspace.entities import (
    AddEntityIdentifier as AddEntityIdentifier,
    DeleteEntity as DeleteEntity,
    EntityIdentifier as EntityIdentifier,
    EntityIdentifiers as EntityIdentifiers,
    UpdateEntity as UpdateEntity,
)
from .schema.workspace.events import DeleteEvent as DeleteEvent
from .schema.workspace.labels import (
    CreateEntityTag as CreateEntityTag,
    CreateTag as CreateTag,
    DeleteEntityTag as DeleteEntityTag,
    DeleteTag as DeleteTag,
    GetEntityTag as GetEntityTag,
    TagBatch as TagBatch,
    TagEntities as TagEntities,
    TagInvoice as TagInvoice,
    TagInvoices as TagInvoices,
    UntagEntities as UntagEntities,
    UntagInvoice as UntagInvoice,
    UntagInvoices as UntagInvoices,
    UpdateEntityTag as UpdateEntityTag,
    UpdateTag as UpdateTag,
)
from .schema.workspace.reports import (
    CreateInsightReport as CreateInsightReport,
    DeleteInsightReport as DeleteInsightReport,
    GetInsightReport as GetInsightReport,
    InsightReport as InsightReport,
    InsightReports as InsightReports,
    ReportAuthor as ReportAuthor,
    ReportEntry as ReportEntry,
    ShowGroup as ShowGroup,
    ShowInsight as ShowInsight,
    UpdateInsightReport as UpdateInsightReport,
)
from .schema.workspace.schedulers import (
    CreateScheduler as CreateScheduler,
    CreateSchedulerRule as CreateSchedulerRule,
    DeleteScheduler as DeleteScheduler,
    DeleteSchedulerRule as DeleteSchedulerRule,
    GetScheduler as GetScheduler,
    GetSchedulerRule as GetSchedulerRule,
    Scheduler as Scheduler,
    SchedulerRule as SchedulerRule,
    Schedulers as Schedulers,
    UpdateScheduler as UpdateScheduler,
    UpdateSchedulerRule as UpdateSchedulerRule,
)
from .schema.workspace.scores import CalculateSyntageScore as CalculateSyntageScore
from .schema.workspace.webhooks import (
    EVENT_TYPES as EVENT_TYPES,
    CreateWebhookEndpoint as CreateWebhookEndpoint,
    DeleteWebhookEndpoint as DeleteWebhookEndpoint,
    EventType as EventType,
    GetWebhookEndpoint as GetWebhookEndpoint,
    GetWebhookRequest as GetWebhookRequest,
    UpdateWebhookEndpoint as UpdateWebhookEndpoint,
    WebhookEndpoint as WebhookEndpoint,
    WebhookEndpoints as WebhookEndpoints,
    WebhookRequest as WebhookRequest,
    WebhookRequests as WebhookRequests,
)

DIALECT: Final = Syntage
