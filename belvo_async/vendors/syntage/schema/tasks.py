"""The two tasks of Syntage: an extraction and an export."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, TypeAlias, cast, get_args, overload
from urllib.parse import unquote

import msgspec
from msgspec.structs import force_setattr

from ....discreet import discreet
from ....errors import TaskError
from ....jobs import Extent, Task
from ....payload import encode_query
from .extents import extent_of
from .forms.subjects import TAXPAYER, UUID, normal_subject
from .invoices import Invoice
from .options import (
    EXTRACTORS,
    AnyOptions,
    BuroOptions,
    ElectronicAccountingOptions,
    InvoiceOptions,
    NoOptions,
    Options,
    Period,
    TaxRetentionOptions,
    TaxReturnOptions,
)
from .queries import ListQuery
from .registers import BackgroundCheck, BilReport, BuroReport, RpcEntidade, RugGarantia
from .taxes import ElectronicAccountingRecord, SatCertificate, TaxComplianceCheck, TaxRetention, TaxReturn, TaxStatus

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # What a task that is told by a plain str brings is known only when it runs.
    R_co = TypeVar("R_co", covariant=True, default=object)
else:
    from typing import TypeVar

    R_co = TypeVar("R_co", covariant=True)

_Given: TypeAlias = Mapping[str, object]


class Extraction(Task[R_co], Generic[R_co], frozen=True, tag="syntage.Extraction"):
    """One run of an extractor for an entity: `POST /extractions` (api-reference/extractions/overview).

    `entity` is `/entities/<uuid>` or the bare uuid; the deprecated `/taxpayers/<RFC>` is known too, but only `invoice`
    can be fired with it. `options` is the struct of the extractor or a dict in Syntage's own words; either way it is
    checked and kept as the struct (a dict only for extractors whose options are not published). `invoice` needs
    options, for it needs a period. Raises TaskError naming the field, like `options.period.to`.

    The extractor decides what the results hold: `Extraction("...", "tax_status")` is an `Extraction[TaxStatus]`, one
    whose extractor is known only at run time an `Extraction[object]`.
    """

    vendor: ClassVar[str] = "syntage"

    entity: str
    extractor: str
    options: AnyOptions = None

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: Extraction[Invoice], entity: str, extractor: Literal["invoice"], options: InvoiceOptions | _Given
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[TaxReturn],
            entity: str,
            extractor: Literal["annual_tax_return", "monthly_tax_return", "rif_tax_return"],
            options: TaxReturnOptions | _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[TaxRetention],
            entity: str,
            extractor: Literal["tax_retention"],
            options: TaxRetentionOptions | _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[ElectronicAccountingRecord],
            entity: str,
            extractor: Literal["electronic_accounting"],
            options: ElectronicAccountingOptions | _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[TaxStatus],
            entity: str,
            extractor: Literal["tax_status"],
            options: NoOptions | _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[TaxComplianceCheck],
            entity: str,
            extractor: Literal["tax_compliance"],
            options: NoOptions | _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[BuroReport],
            entity: str,
            extractor: Literal["buro_de_credito_report"],
            options: BuroOptions | _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[SatCertificate],
            entity: str,
            extractor: Literal["sat_certificates"],
            options: _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[RpcEntidade], entity: str, extractor: Literal["rpc"], options: _Given | None = None
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[RugGarantia], entity: str, extractor: Literal["rug"], options: _Given | None = None
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[BilReport], entity: str, extractor: Literal["bil"], options: _Given | None = None
        ) -> None: ...
        @overload
        def __init__(
            self: Extraction[BackgroundCheck],
            entity: str,
            extractor: Literal["background_check"],
            options: _Given | None = None,
        ) -> None: ...
        @overload
        def __init__(self: Extraction[object], entity: str, extractor: str, options: AnyOptions = None) -> None: ...
        def __init__(self, entity: str, extractor: str, options: AnyOptions = None) -> None: ...

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "entity", normal_subject(self.entity))
        force_setattr(self, "options", _normal_options(self.extractor, self.options))

    @property
    def subject(self) -> str:
        """The entity's IRI (or, in the deprecated form, the taxpayer's)."""
        return self.entity

    @property
    def resource(self) -> str:
        """The extractor."""
        return self.extractor

    @property
    def extent(self) -> Extent | None:
        return extent_of(self.options)

    @property
    def rfc(self) -> str | None:
        """The RFC, for a task in the deprecated taxpayer form."""
        match = TAXPAYER.fullmatch(self.entity)
        return match.group(1) if match else None

    @property
    def period(self) -> Period | None:
        """The period asked for, where the extractor has one."""
        return getattr(self.options, "period", None)

    def body(self) -> dict[str, object]:
        """Give the body that is sent."""
        options = {"options": sent} if (sent := self.sent_options()) else {}
        return {"taxpayer" if self.rfc else "entity": self.entity, "extractor": self.extractor, **options}

    def sent_options(self) -> dict[str, object]:
        """Give the options as they are sent: the vendor's keys, nothing that is None."""
        return {name: value for name, value in _builtins(self.options).items() if value is not None}

    @property
    def _shown_entity(self) -> str:
        # The deprecated form names the taxpayer, and what is refused may be anything.
        is_entity = isinstance(cast("object", self.entity), str) and self.entity.startswith("/entities/")
        return self.entity if is_entity else "***"

    def __repr__(self) -> str:
        return f"Extraction(extractor={self.extractor!r}, entity={self._shown_entity!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("extractor", self.extractor)]


def _normal_options(extractor: object, given: object) -> Options | dict[str, object]:
    if not isinstance(extractor, str) or extractor not in EXTRACTORS:
        raise TaskError(f"extractor must be one of {', '.join(EXTRACTORS)}", field="extractor")
    kind = EXTRACTORS[extractor]
    if isinstance(given, msgspec.Struct) and type(given) is not kind:
        raise TaskError(f"options must be those of {extractor}: {type(given).__name__} are not", field="options")
    if extractor == "invoice" and given is None:
        raise TaskError("options.period must be given for invoice", field="options.period")
    words = {} if given is None else _builtins(given)
    if kind is None:
        return words
    try:
        return msgspec.convert(words, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, TaskError):
            raise error.__cause__ from None
        raise _name_option(str(error), extractor) from None


def _builtins(options: object) -> dict[str, object]:
    """Reduce options to JSON, keys sorted: equal options become equal text."""
    try:
        words: object = msgspec.json.decode(msgspec.json.encode(options, order="sorted"))
    except (TypeError, ValueError, RecursionError, OverflowError):
        words = None
    if not isinstance(words, dict):
        raise TaskError("options must be an object that JSON can hold", field="options")
    return cast("dict[str, object]", words)


_OPTION_PATH: Final = re.compile(r"`\$([^`]*)`")
_OPTION_KIND: Final = re.compile(r"^Expected `([^`]*)`")
_OPTION_NAME: Final = re.compile(r"(unknown|required) field `(\w{1,64})`")


def _name_option(complaint: str, extractor: str) -> TaskError:
    path = _OPTION_PATH.search(complaint)
    name = _OPTION_NAME.search(complaint)
    field = "options" + (path.group(1) if path else "")
    if name is None:
        kind = _OPTION_KIND.search(complaint)
        return TaskError(f"{field}: expected {kind.group(1) if kind else 'a documented value'}", field=field)
    field = f"{field}.{name.group(2)}"
    rule = "be given for" if name.group(1) == "required" else "be left out: it is no option of"
    return TaskError(f"{field} must {rule} {extractor}", field=field)


ExportFormat: TypeAlias = Literal["csv", "xlsx", "json", "pdf"]
FileType: TypeAlias = Literal[
    "invoice.cfdi.xml",
    "invoice.cfdi.pdf",
    "tax_return.transcript",
    "tax_return.ack_receipt",
    "tax_return.payment_receipt",
]
EXPORT_FORMATS: Final[tuple[ExportFormat, ...]] = get_args(ExportFormat)
FILE_TYPES: Final[tuple[FileType, ...]] = get_args(FileType)

# A list of Syntage's own, with its filters; nothing that would need encoding, no other origin.
_LIST: Final = re.compile(r"/[A-Za-z0-9_-][\w/.%-]*(?:\?[!-~]*)?", re.ASCII)
_SUBJECT: Final = re.compile(f"/entities/{UUID}", re.IGNORECASE)
_LONGEST_LIST: Final = 2000


class Export(Task[object], frozen=True, tag="syntage.Export"):
    """A list written to one file, with the files of its rows: `POST /exports`. It e-mails a link to the account, too.

    `uri` is the path of a list with its filters, or the query that reads it (`syntage.Invoices(entity=...)`); filters
    by parts the vendor cannot do are lost in the file. `file_types` adds the rows' files. The job's results are no
    records: `session.download(ExportFile(job.remote_id))` reads the file. It cannot be stopped.
    Raises TaskError.
    """

    vendor: ClassVar[str] = "syntage"

    uri: str
    format: ExportFormat = "csv"
    file_types: tuple[FileType, ...] = ()

    if TYPE_CHECKING:

        def __init__(
            self, uri: str | ListQuery[Any], format: ExportFormat = "csv", file_types: Sequence[FileType] = ()
        ) -> None: ...

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "uri", _read_list(self.uri))
        if self.format not in EXPORT_FORMATS:
            raise TaskError(f"format must be one of {', '.join(EXPORT_FORMATS)}", field="format")
        listed = isinstance(cast("object", self.file_types), Collection)
        if not listed or any(each not in FILE_TYPES for each in self.file_types):
            raise TaskError(f"file_types must be some of {', '.join(FILE_TYPES)}", field="file_types")
        # One order, so that equal tasks are equal.
        force_setattr(self, "file_types", tuple(each for each in FILE_TYPES if each in self.file_types))

    @property
    def subject(self) -> str:
        """The entity's IRI, or the path of a list that is no entity's."""
        match = _SUBJECT.match(self.uri)
        return match.group().lower() if match else self.uri.partition("?")[0]

    @property
    def resource(self) -> str:
        """Always `export`, as in the vendor's events."""
        return "export"

    def body(self) -> dict[str, object]:
        """Give the body that is sent."""
        kinds = {"fileTypes": list(self.file_types)} if self.file_types else {}
        return {"format": self.format, "uri": self.uri, **kinds}

    def is_same_list(self, uri: str) -> bool:
        """Tell whether an export of that list is of this one; either side may have encoded its brackets."""
        return unquote(uri) == unquote(self.uri)

    def __repr__(self) -> str:
        # Filters may name taxpayers.
        return f"Export(format={self.format!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("format", self.format)]


def _read_list(given: object) -> str:
    if isinstance(given, ListQuery):
        path, params = given.where()[0], given.params()
        given = f"{path}?{encode_query(params, safe='[]:')}" if params else path
    if not isinstance(given, str) or len(given) > _LONGEST_LIST or not _LIST.fullmatch(given) or "/.." in given:
        raise TaskError("uri must be a query, or the path of a list with its filters", field="uri")
    return given
