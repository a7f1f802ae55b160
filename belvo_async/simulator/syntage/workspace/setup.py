"""All that an account sets up, put together."""

from collections.abc import Iterator

from ...origin import Timers
from ...wire import JsonObject, Route
from ..catalogue import SyntageCatalogue
from ..extractions import Extractions
from ..rows.invoices import Entity
from ..rows.records import Records
from ..state import GatheredRows
from . import addresses
from .authorizations import Authorizations
from .entities import EntityChanges
from .labels import Labels
from .onboarding import first_extractions
from .reports import Reports
from .schedulers import Schedulers
from .scores import Scores


class Workspace:
    """Schedulers, labels, reports, authorizations, scores, and the changes of entities."""

    def __init__(
        self,
        timers: Timers,
        extractions: Extractions,
        catalogue: SyntageCatalogue,
        gathered_rows: GatheredRows,
        records: Records,
    ) -> None:
        accounts, dice, now = extractions.accounts, extractions.dice, extractions.accounts.now
        self._extractions = extractions
        self._labels = Labels(
            accounts=accounts,
            gathered_rows=gathered_rows,
            invoice=catalogue.invoice,
            on_remove=lambda tag: self._schedulers.lose(tag),
        )
        self._schedulers = Schedulers(
            timers=timers,
            accounts=accounts,
            dice=dice,
            now=now,
            start=extractions.extract,
            read_tags=self._labels.read_entity_tags,
        )
        self._entities = EntityChanges(
            accounts=accounts, now=now, read_tags=self._labels.read_entity_tags, dress=self._labels.dress
        )
        self._reports = Reports(dice=dice, now=now)
        self.authorizations = Authorizations(accounts=accounts, dice=dice, now=now, on_change=extractions.release)
        self.scores = Scores(
            timers=timers, accounts=accounts, records=records, jobs=extractions.jobs, dice=dice, now=now
        )

    def routes(self) -> Iterator[Route]:
        """Give all their routes."""
        for each in (self._labels, self._schedulers, self._entities, self._reports, self.authorizations, self.scores):
            yield from each.routes()
        yield from addresses.routes()

    def onboard(self, entity: Entity, body: JsonObject) -> None:
        """Keep by what an entity is known, and start its first extractions, as it was created."""
        self._entities.identify(entity, body)
        for extractor, options in first_extractions(body, self._schedulers.first_rules()):
            if entity.subject.is_company and extractor == "rif_tax_return":
                continue  # a regime of persons
            self._extractions.extract(entity, extractor, options)

    def drop(self, entity: Entity) -> None:
        """Forget what is an entity's."""
        self.authorizations.drop(entity)
        self.scores.drop(entity)
