"""Belvo's client for Python (`pip install belvo-python`) does what its README shows; a JSON line for each step."""

# mypy: ignore-errors
import json
import os
import sys
from itertools import islice

from belvo.client import Client
from belvo.enums import AccessMode, TaxRetentionType, TaxReturnType
from belvo.exceptions import RequestError

PERIOD = ("2025-01-01", "2025-12-31")


def step(name, call, fits=bool):
    try:
        value = call()
        ok, said = bool(fits(value)), json.dumps(value)[:200]
    except Exception as error:
        value, ok, said = None, False, repr(error)
    print(json.dumps({"step": name, "ok": ok, "said": said}), flush=True)
    return value


def refused(call, status):
    try:
        call()
    except RequestError as error:
        return error.status_code == status
    return False


def main():
    url = os.environ["BELVO_URL"]
    client = Client(os.environ["BELVO_ID"], os.environ["BELVO_PASSWORD"], url)
    strict = {"raise_exception": True}
    patient = {"timeout": 60}  # its own five seconds are for fast machines
    step("institutions", lambda: list(client.Institutions.list(**patient)))
    links = step(
        "links, page by page", lambda: list(client.Links.list(page_size=1, **patient)), lambda rows: len(rows) == 3
    )
    link = links[0]["id"]
    step("one link", lambda: client.Links.get(link, **patient), lambda row: row["id"] == link)

    made = step(
        "register",
        lambda: client.Links.create(
            "tatooine_mx_fiscal",
            "PFIS010101XY3",
            "abcd1234",
            access_mode=AccessMode.SINGLE,
            external_id="mine-1",
            **strict,
        ),
        lambda row: row["access_mode"] == "single",
    )
    step(
        "register with a wrong password",
        lambda: refused(lambda: client.Links.create("tatooine_mx_fiscal", "PFIS010101XY4", "wrongpass", **strict), 400),
    )
    wanted = step(
        "register with a token",
        lambda: client.Links.create("tatooine_mx_fiscal", "PFIS010101XY5", "tokenlogin"),
        lambda rows: rows[0]["code"] == "token_required",
    )[0]
    step(
        "resume",
        lambda: client.Links.resume(wanted["session"], "48213", link=wanted["link"], **strict),
        lambda row: row["status"] == "valid",
    )
    step("new password", lambda: client.Links.update(made["id"], password="efgh5678", **strict))
    step(
        "recurrent",
        lambda: client.Links.patch(made["id"], access_mode=AccessMode.RECURRENT, **strict),
        lambda row: row["access_mode"] == "recurrent",
    )
    step("widget", lambda: client.WidgetToken.create(**strict), lambda row: row["access"] and row["refresh"])
    step("widget of a link", lambda: client.WidgetToken.create(link=link, widget={"branding": {}}, **strict))

    for type_ in ("INFLOW", "outflow"):
        step(
            f"invoices, {type_}", lambda type_=type_: client.Invoices.create(link, *PERIOD, type_, timeout=60, **strict)
        )
    everything = step(
        "list of invoices", lambda: list(client.Invoices.list(link=link, **patient)), lambda rows: len(rows) > 20
    )
    step(
        "list of invoices from an amount on",
        lambda: list(client.Invoices.list(link=link, total_amount__gte=1, type="inflow", **patient)),
    )
    step("one invoice", lambda: client.Invoices.get(everything[0]["id"], **patient), lambda row: row == everything[0])
    step("delete an invoice", lambda: client.Invoices.delete(everything[0]["id"]))

    step("yearly returns", lambda: client.TaxReturns.create(link, 2023, 2024, **strict))
    step(
        "monthly returns",
        lambda: client.TaxReturns.create(
            link, type_=TaxReturnType.MONTHLY, date_from=PERIOD[0], date_to=PERIOD[1], **strict
        ),
    )
    step("list of returns", lambda: list(islice(client.TaxReturns.list(link=link, ejercicio__gte=2023, **patient), 30)))
    step("status", lambda: client.TaxStatus.create(link, attach_pdf=True, **strict), lambda row: row["id_cif"])
    step("compliance", lambda: client.TaxComplianceStatus.create(link, **strict), lambda row: row["outcome"])
    for direction in TaxRetentionType:
        step(
            f"retentions, {direction.value}",
            lambda direction=direction: client.TaxRetentions.create(link, *PERIOD, direction, **strict),
        )
    step("delete a link", lambda: client.Links.delete(made["id"]))
    step("a link that is gone", lambda: client.Links.delete(made["id"]) is False)


if __name__ == "__main__":
    sys.exit(main())
