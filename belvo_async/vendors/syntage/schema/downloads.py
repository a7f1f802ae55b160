"""Files that are read as bytes."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from msgspec.structs import force_setattr

from ....abc import Download
from ....discreet import discreet
from ....errors import TaskError
from .forms.subjects import read_id


class FileDownload(Download, frozen=True):
    """`GET /files/{id}/download`: a redirect to a storage that never sees the key. Its length is read first.

    Raises NotFoundError when Syntage does not know the file.
    """

    id: str

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "id", read_id(self.id, "/files"))


class ExportFile(Download, frozen=True):
    """The file of a finished export, by the remote id of its job.

    Raises UnsupportedError while there is none, and when the export failed.
    """

    # `Job.remote_id` may be None: that is refused here, by a sentence.
    export: str | None

    @discreet
    def __post_init__(self) -> None:
        if self.export is None:
            raise TaskError("export must be the id of one that was accepted: await its job first", field="export")
        force_setattr(self, "export", read_id(self.export, "/exports", "export"))


class OneFile(Download, frozen=True):
    """A file that an object has, at `<collection>/<id>/<end>`; `accepts` names the form by its word."""

    collection: ClassVar[str]
    end: ClassVar[str]
    accepts: ClassVar[dict[str, str]]

    @property
    def owner(self) -> str:
        """The id of the object."""
        raise NotImplementedError

    @property
    def accept(self) -> str:
        """The media type to ask for."""
        return self.accepts[getattr(self, "format", "")]


_CFDI_FORMS: Final = {"xml": "text/xml", "pdf": "application/pdf", "json": "application/json"}


class Cfdi(OneFile, frozen=True):
    """An invoice's sealed XML, its PDF, or the XML mapped to JSON: `GET /invoices/{id}/cfdi`.

    `invoice` is Syntage's id (not the fiscal folio) or the IRI. Raises NotFoundError while the file is not held
    (`Invoice.xml`, `Invoice.pdf`): a later extraction may bring it.
    """

    collection: ClassVar[str] = "/invoices"
    end: ClassVar[str] = "cfdi"
    accepts: ClassVar[dict[str, str]] = _CFDI_FORMS

    invoice: str
    format: Literal["xml", "pdf", "json"] = "xml"

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "invoice", read_id(self.invoice, self.collection, "invoice"))
        _check_format(self.format)

    @property
    def owner(self) -> str:
        """The invoice."""
        return self.invoice


class TaxRetentionCfdi(OneFile, frozen=True):
    """A retention's XML, PDF, or the XML mapped to JSON: `GET /tax-retentions/{id}/cfdi`; see `Cfdi`."""

    collection: ClassVar[str] = "/tax-retentions"
    end: ClassVar[str] = "cfdi"
    accepts: ClassVar[dict[str, str]] = _CFDI_FORMS

    tax_retention: str
    format: Literal["xml", "pdf", "json"] = "xml"

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "tax_retention", read_id(self.tax_retention, self.collection, "tax_retention"))
        _check_format(self.format)

    @property
    def owner(self) -> str:
        """The retention."""
        return self.tax_retention


def _check_format(given: object) -> None:
    if not isinstance(given, str) or given not in _CFDI_FORMS:
        raise TaskError(f"format must be one of {', '.join(_CFDI_FORMS)}", field="format")


class TaxReturnPdf(OneFile, frozen=True):
    """A tax return as a document: `GET /tax-returns/{id}/pdf`."""

    collection: ClassVar[str] = "/tax-returns"
    end: ClassVar[str] = "pdf"
    accepts: ClassVar[dict[str, str]] = {"": "application/pdf"}

    tax_return: str

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "tax_return", read_id(self.tax_return, self.collection, "tax_return"))

    @property
    def owner(self) -> str:
        """The tax return."""
        return self.tax_return


class TaxReturnData(TaxReturnPdf, frozen=True):
    """What stands in a tax return, as JSON whose shape Syntage does not publish: `GET /tax-returns/{id}/data`."""

    end: ClassVar[str] = "data"
    accepts: ClassVar[dict[str, str]] = {"": "application/json"}


class BackgroundCheckPdf(OneFile, frozen=True):
    """A background check as a document: `GET /background-checks/{id}/pdf`."""

    collection: ClassVar[str] = "/background-checks"
    end: ClassVar[str] = "pdf"
    accepts: ClassVar[dict[str, str]] = {"": "application/pdf"}

    background_check: str

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "background_check", read_id(self.background_check, self.collection, "background_check"))

    @property
    def owner(self) -> str:
        """The background check."""
        return self.background_check
