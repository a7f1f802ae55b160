"""Belvo: fiscal records of Mexican taxpayers, fetched as jobs, read from lists, or called for (api.belvo.com)."""

from typing import Final

from .dialect import Belvo as Belvo
from .schema.calls import (
    ChangeLink as ChangeLink,
    CreateLink as CreateLink,
    DeleteFinancialStatement as DeleteFinancialStatement,
    DeleteInvoice as DeleteInvoice,
    DeleteTaxComplianceStatus as DeleteTaxComplianceStatus,
    DeleteTaxRetention as DeleteTaxRetention,
    DeleteTaxReturn as DeleteTaxReturn,
    DeleteTaxStatus as DeleteTaxStatus,
    GetFinancialStatement as GetFinancialStatement,
    GetInstitution as GetInstitution,
    GetInvoice as GetInvoice,
    GetLink as GetLink,
    GetTaxComplianceStatus as GetTaxComplianceStatus,
    GetTaxRetention as GetTaxRetention,
    GetTaxReturn as GetTaxReturn,
    GetTaxStatus as GetTaxStatus,
    UpdateLink as UpdateLink,
)
from .schema.checks import Direction as Direction, Resource as Resource
from .schema.invoices import (
    Deduction as Deduction,
    Earning as Earning,
    Invoice as Invoice,
    InvoiceDetail as InvoiceDetail,
    OtherPayment as OtherPayment,
    Payment as Payment,
    Payroll as Payroll,
    RelatedDocument as RelatedDocument,
    RelatedInvoice as RelatedInvoice,
    RetainedTax as RetainedTax,
    Tax as Tax,
    TaxDetails as TaxDetails,
    TransferredTax as TransferredTax,
    Warnings as Warnings,
)
from .schema.links import (
    Feature as Feature,
    FormField as FormField,
    FormFieldValue as FormFieldValue,
    Institution as Institution,
    Link as Link,
    OpenBanking as OpenBanking,
)
from .schema.queries import (
    FinancialStatementList as FinancialStatementList,
    Institutions as Institutions,
    InvoiceList as InvoiceList,
    Links as Links,
    TaxComplianceStatusList as TaxComplianceStatusList,
    TaxRetentionList as TaxRetentionList,
    TaxReturnList as TaxReturnList,
    TaxStatusList as TaxStatusList,
)
from .schema.retrievals import (
    RetrieveFinancialStatements as RetrieveFinancialStatements,
    RetrieveInvoices as RetrieveInvoices,
    RetrieveMonthlyTaxReturns as RetrieveMonthlyTaxReturns,
    RetrieveTaxComplianceStatus as RetrieveTaxComplianceStatus,
    RetrieveTaxRetentions as RetrieveTaxRetentions,
    RetrieveTaxStatus as RetrieveTaxStatus,
    RetrieveYearlyTaxReturns as RetrieveYearlyTaxReturns,
)
from .schema.returns.business import (
    BusinessIncomeTaxAssessment as BusinessIncomeTaxAssessment,
    BusinessIncomeTaxGeneralRegime as BusinessIncomeTaxGeneralRegime,
    BusinessIncomeTaxPayments as BusinessIncomeTaxPayments,
    BusinessMonthlyReturn as BusinessMonthlyReturn,
    BusinessReturnHeader as BusinessReturnHeader,
    BusinessTaxPayment as BusinessTaxPayment,
    BusinessValueAddedTaxAssessment as BusinessValueAddedTaxAssessment,
    BusinessValueAddedTaxPayments as BusinessValueAddedTaxPayments,
    CreditableValueAddedTax as CreditableValueAddedTax,
    PaidActivities as PaidActivities,
    PaidActivitiesAt16 as PaidActivitiesAt16,
    TaxedActivitiesAt16 as TaxedActivitiesAt16,
    ValueAddedTaxDue as ValueAddedTaxDue,
)
from .schema.returns.business_yearly import (
    AdditionalAnswers as AdditionalAnswers,
    Assets as Assets,
    AuthorizedDeductions as AuthorizedDeductions,
    BusinessTaxAssessment as BusinessTaxAssessment,
    BusinessYearlyPayment as BusinessYearlyPayment,
    BusinessYearlyReturn as BusinessYearlyReturn,
    BusinessYearlyTax as BusinessYearlyTax,
    ClosingFigures as ClosingFigures,
    DistributedDividends as DistributedDividends,
    EarlierCredits as EarlierCredits,
    FinancialPosition as FinancialPosition,
    FiscalReconciliation as FiscalReconciliation,
    Liabilities as Liabilities,
    OwnersEquity as OwnersEquity,
    PartySplit as PartySplit,
    ProfitAndLoss as ProfitAndLoss,
    YearCredits as YearCredits,
)
from .schema.returns.personal import (
    Employer as Employer,
    PersonalDeduction as PersonalDeduction,
    PersonalDeductions as PersonalDeductions,
    PersonalDividends as PersonalDividends,
    PersonalIncomeTax as PersonalIncomeTax,
    PersonalIncomeTaxAssessment as PersonalIncomeTaxAssessment,
    PersonalIncomeTaxPayment as PersonalIncomeTaxPayment,
    PersonalMonthlyReturn as PersonalMonthlyReturn,
    PersonalReturnHeader as PersonalReturnHeader,
    PersonalTaxAssessment as PersonalTaxAssessment,
    PersonalTaxCredits as PersonalTaxCredits,
    PersonalValueAddedTax as PersonalValueAddedTax,
    PersonalValueAddedTaxAssessment as PersonalValueAddedTaxAssessment,
    PersonalValueAddedTaxPayment as PersonalValueAddedTaxPayment,
    PersonalYearlyReturn as PersonalYearlyReturn,
    ProfessionalServices as ProfessionalServices,
    ServiceDeductionDetail as ServiceDeductionDetail,
    ServiceDeductions as ServiceDeductions,
    ServiceIncome as ServiceIncome,
    ServiceProvisionalPayments as ServiceProvisionalPayments,
    ServiceResult as ServiceResult,
    ServiceWithholding as ServiceWithholding,
    Wages as Wages,
    Withholding as Withholding,
    Withholdings as Withholdings,
)
from .schema.statements import (
    BalanceSheet as BalanceSheet,
    CurrentAssets as CurrentAssets,
    CurrentLiabilities as CurrentLiabilities,
    Equity as Equity,
    FinancialStatement as FinancialStatement,
    IncomeStatement as IncomeStatement,
    NonCurrentAssets as NonCurrentAssets,
    NonCurrentLiabilities as NonCurrentLiabilities,
)
from .schema.tasks import (
    DeleteLink as DeleteLink,
    FinancialStatements as FinancialStatements,
    FiscalRecord as FiscalRecord,
    Invoices as Invoices,
    Refresh as Refresh,
)
from .schema.tax_returns import (
    Content as Content,
    TaxReturn as TaxReturn,
    TaxReturnForm as TaxReturnForm,
    TypedTaxReturn as TypedTaxReturn,
)
from .schema.taxes import (
    Address as Address,
    BetweenStreets as BetweenStreets,
    EconomicActivity as EconomicActivity,
    Obligation as Obligation,
    Regime as Regime,
    RetentionBreakdown as RetentionBreakdown,
    TaxComplianceStatus as TaxComplianceStatus,
    TaxPayer as TaxPayer,
    TaxRetention as TaxRetention,
    TaxStatus as TaxStatus,
)
from .schema.tokens import Resume as Resume
from .schema.widget import (
    Branding as Branding,
    CallbackUrls as CallbackUrls,
    CreateWidgetToken as CreateWidgetToken,
    ThemeColor as ThemeColor,
    Widget as Widget,
    WidgetToken as WidgetToken,
)

DIALECT: Final = Belvo
"""Belvo's dialect: the `Vendor` that turns our words into its HTTP and back."""
