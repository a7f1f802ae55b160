-- What a mirror's users ask first. The same text for DuckDB and PostgreSQL; {schema} is the mirror's.
-- A version of which _dlt_valid_to is NULL is the present one.

-- Each invoice as it is now, once: of one that several vendors or accounts hold, what was said last; paid is what any of
-- them says. The taxpayer is the one whose books these are: the issuer of what is issued, the receiver of what is received.
CREATE OR REPLACE VIEW {schema}.current_invoices AS
SELECT
    uuid, direction, kind, issued_on, taxpayer_rfc, taxpayer_name, counterparty_rfc, counterparty_name, payment_method,
    currency, exchange_rate, subtotal, total, most_paid AS paid_amount, is_cancelled, cancelled_on, subject, record_id,
    record_version
FROM (
    SELECT
        known.*,
        CASE direction WHEN 'issued' THEN issuer_rfc ELSE receiver_rfc END AS taxpayer_rfc,
        CASE direction WHEN 'issued' THEN issuer_name ELSE receiver_name END AS taxpayer_name,
        CASE direction WHEN 'issued' THEN receiver_rfc ELSE issuer_rfc END AS counterparty_rfc,
        CASE direction WHEN 'issued' THEN receiver_name ELSE issuer_name END AS counterparty_name,
        max(paid_amount) OVER (PARTITION BY coalesce(uuid, record_id), direction) AS most_paid,
        row_number() OVER (
            PARTITION BY coalesce(uuid, record_id), direction ORDER BY _dlt_valid_from DESC, subject, record_id
        ) AS nth
    FROM {schema}.invoices AS known
    WHERE _dlt_valid_to IS NULL
) AS told
WHERE nth = 1;

-- What payment receipts that hold say they paid, whoever told of it.
CREATE OR REPLACE VIEW {schema}.current_payments AS
SELECT DISTINCT
    paid.paid_uuid, paid.paid_on, paid.currency, paid.amount, receipt.uuid AS receipt_uuid, receipt.direction,
    receipt.taxpayer_rfc, receipt.counterparty_rfc
FROM {schema}.current_invoices AS receipt
JOIN {schema}.invoices AS told
    ON told.uuid = receipt.uuid AND told.direction = receipt.direction AND told._dlt_valid_to IS NULL
JOIN {schema}.invoices__payments AS paid ON paid.record_version = told.record_version
WHERE receipt.kind = 'P' AND receipt.is_cancelled IS NOT TRUE;

-- Income (I) less credit notes (E), of what is not cancelled, by month and currency.
CREATE OR REPLACE VIEW {schema}.sales_by_month AS
SELECT
    taxpayer_rfc, CAST(date_trunc('month', issued_on) AS DATE) AS month, currency,
    sum(CASE kind WHEN 'I' THEN 1 ELSE 0 END) AS invoices,
    sum(CASE kind WHEN 'I' THEN total ELSE 0 END) AS invoiced,
    sum(CASE kind WHEN 'E' THEN total ELSE 0 END) AS credited,
    sum(CASE kind WHEN 'I' THEN total ELSE -total END) AS net
FROM {schema}.current_invoices
WHERE direction = 'issued' AND kind IN ('I', 'E') AND is_cancelled IS NOT TRUE
GROUP BY 1, 2, 3;

CREATE OR REPLACE VIEW {schema}.purchases_by_month AS
SELECT
    taxpayer_rfc, CAST(date_trunc('month', issued_on) AS DATE) AS month, currency,
    sum(CASE kind WHEN 'I' THEN 1 ELSE 0 END) AS invoices,
    sum(CASE kind WHEN 'I' THEN total ELSE 0 END) AS invoiced,
    sum(CASE kind WHEN 'E' THEN total ELSE 0 END) AS credited,
    sum(CASE kind WHEN 'I' THEN total ELSE -total END) AS net
FROM {schema}.current_invoices
WHERE direction = 'received' AND kind IN ('I', 'E') AND is_cancelled IS NOT TRUE
GROUP BY 1, 2, 3;

-- Who the sales go to, with the share of each in what a taxpayer invoiced in that currency: 0.25 is a quarter.
CREATE OR REPLACE VIEW {schema}.customers AS
SELECT
    taxpayer_rfc, counterparty_rfc AS customer_rfc, max(counterparty_name) AS customer_name, currency,
    count(*) AS invoices, sum(total) AS invoiced, min(issued_on) AS first_on, max(issued_on) AS last_on,
    CAST(sum(total) AS FLOAT8)
        / nullif(CAST(sum(sum(total)) OVER (PARTITION BY taxpayer_rfc, currency) AS FLOAT8), 0) AS share
FROM {schema}.current_invoices
WHERE direction = 'issued' AND kind = 'I' AND is_cancelled IS NOT TRUE
GROUP BY taxpayer_rfc, counterparty_rfc, currency;

CREATE OR REPLACE VIEW {schema}.suppliers AS
SELECT
    taxpayer_rfc, counterparty_rfc AS supplier_rfc, max(counterparty_name) AS supplier_name, currency,
    count(*) AS invoices, sum(total) AS invoiced, min(issued_on) AS first_on, max(issued_on) AS last_on,
    CAST(sum(total) AS FLOAT8)
        / nullif(CAST(sum(sum(total)) OVER (PARTITION BY taxpayer_rfc, currency) AS FLOAT8), 0) AS share
FROM {schema}.current_invoices
WHERE direction = 'received' AND kind = 'I' AND is_cancelled IS NOT TRUE
GROUP BY taxpayer_rfc, counterparty_rfc, currency;

-- Invoices to be paid in instalments or later (PPD) of which nothing says that anything was paid.
CREATE OR REPLACE VIEW {schema}.ppd_without_payment AS
SELECT
    uuid, direction, taxpayer_rfc, counterparty_rfc, counterparty_name, issued_on, currency, total, subject, record_id
FROM {schema}.current_invoices AS invoice
WHERE
    kind = 'I' AND payment_method = 'PPD' AND is_cancelled IS NOT TRUE AND coalesce(paid_amount, 0) = 0
    AND NOT EXISTS (SELECT 1 FROM {schema}.current_payments AS payment WHERE payment.paid_uuid = invoice.uuid);

-- What was in a month's books when it closed and is not any more.
CREATE OR REPLACE VIEW {schema}.cancelled_after_month_end AS
SELECT
    uuid, direction, kind, taxpayer_rfc, counterparty_rfc, counterparty_name, issued_on, cancelled_on, currency, total,
    subject, record_id
FROM {schema}.current_invoices
WHERE is_cancelled AND cancelled_on >= CAST(date_trunc('month', issued_on) + INTERVAL '1' MONTH AS DATE);
