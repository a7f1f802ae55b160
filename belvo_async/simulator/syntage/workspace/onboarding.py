"""What is extracted of an entity that is new: as the first-time rules say, else all its data sources have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from ...wire import JsonObject
from ..accounts import sources_of
from ..options import EXTRACTORS, SAT_EXTRACTORS
from .schedulers import Rule

First: TypeAlias = tuple[str, JsonObject]  # an extractor and its options
_OF_SOURCE: Final[Mapping[str, tuple[str, ...]]] = {
    "sat": tuple(name for name in EXTRACTORS if name in SAT_EXTRACTORS),
    "buro_de_credito": ("buro_de_credito_report",),
    "rpc": ("rpc",),
    "rug": ("rug",),
    "bil": ("bil",),
}


def first_extractions(body: JsonObject, rules: Sequence[Rule] | None) -> Iterator[First]:
    """Give the extractions that creating an entity starts (description of POST /entities); without rules none."""
    listed = body.get("datasources")
    chosen = [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)]
    for name, source in zip(sources_of(body), chosen, strict=True):
        if rules is None:
            return
        own = [rule for rule in rules if rule.extractor in _OF_SOURCE[name]]
        if own:
            yield from ((rule.extractor, rule.options) for rule in own)
            continue
        options = source.get("options")
        given = options if isinstance(options, dict) else {}
        for extractor in _OF_SOURCE[name]:
            yield extractor, {key: value for key, value in given.items() if key in EXTRACTORS[extractor]}
