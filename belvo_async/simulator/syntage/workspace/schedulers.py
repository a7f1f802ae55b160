"""Schedulers and their rules, which really run: at their time they start extractions of the entities they are for."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from ...faults import Dice
from ...origin import Timers
from ...wire import Incoming, Json, JsonObject, Reply, Route, answer
from ..accounts import Accounts
from ..catalogue import Listing, detail
from ..errors import LD_JSON, message, violations
from ..handlers import read_object
from ..options import EXTRACTORS, Problem, check_options
from ..rows.invoices import Entity, OrderedIds, collection, maybe, stamp
from .bodies import BLANK, CHOICE, check_flag, check_text, not_found, number_of
from .cron import Cron

# A first-time rule says what an entity of a data source gets that is new. What the vendor begins with is not published.
FIRST_EXTRACTORS: Final = ("rpc", "rug", "bil", "buro_de_credito_report")
RECURRING: Final = "recurring"
Start: TypeAlias = Callable[[Entity, str, JsonObject], object]


@dataclass(kw_only=True)
class Rule:
    """What is extracted, and when: `cron` is None for a rule of first extractions, `due` while nothing is to come."""

    id: str
    extractor: str
    options: JsonObject
    expression: str | None
    created_at: datetime
    updated_at: datetime
    cron: Cron | None = None
    due: datetime | None = None
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


@dataclass(kw_only=True)
class Scheduler:
    """Rules for the entities that wear one of the tags; the one of first extractions has neither name nor tags."""

    id: str
    name: str | None
    is_enabled: bool
    tags: list[JsonObject]
    created_at: datetime
    updated_at: datetime
    rules: list[Rule] = field(default_factory=list[Rule])

    def row(self) -> JsonObject:
        """Give it as Syntage shows it: its rules stand in the envelope of a list (schema of Scheduler)."""
        rules: list[Json] = [self.rule_row(rule) for rule in self.rules]
        tags: list[Json] = [*self.tags]
        view: JsonObject = {"@id": "/schedulers/rules?page=1", "@type": "hydra:PartialCollectionView"}
        return {
            "@id": f"/schedulers/{self.id}",
            "@type": "Scheduler",
            "id": self.id,
            "name": self.name,
            "type": RECURRING,
            "isEnabled": self.is_enabled,
            "rules": collection("SchedulerRule", "/schedulers/rules", rules, view, len(rules)),
            "tags": tags,
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.updated_at),
        }

    def rule_row(self, rule: Rule) -> JsonObject:
        """Give one of its rules; `nextRunDate` only while there is one. `scheduler` is the name of its owner."""
        due = maybe(rule.due)
        return {
            "@id": f"/schedulers/rules/{rule.id}",
            "@type": "SchedulerRule",
            "id": rule.id,
            "scheduler": self.name or "",
            "extractor": rule.extractor,
            "options": rule.options,
            "cronExpression": rule.expression,
            **({"nextRunDate": due} if due else {}),
            "createdAt": stamp(rule.created_at),
            "updatedAt": stamp(rule.updated_at),
        }


@dataclass(kw_only=True)
class Schedulers:
    """All schedulers, oldest first. `start` begins an extraction; `read_tags` reads IRIs of entity tags."""

    timers: Timers
    accounts: Accounts
    dice: Dice
    now: Callable[[], datetime]
    start: Start
    read_tags: Callable[[Json], list[JsonObject] | None]
    all: dict[str, Scheduler] = field(default_factory=dict[str, Scheduler])

    def __post_init__(self) -> None:
        self._ids = OrderedIds(self.dice.stream("scheduler_ids"), self.now)
        first = self._new(None, is_enabled=True, tags=[])
        now = self.now()
        first.rules = [
            Rule(id=self._ids(), extractor=name, options={}, expression=None, created_at=now, updated_at=now)
            for name in FIRST_EXTRACTORS
        ]
        self._first = first.id

    def _new(self, name: str | None, *, is_enabled: bool, tags: list[JsonObject]) -> Scheduler:
        now = self.now()
        made = Scheduler(id=self._ids(), name=name, is_enabled=is_enabled, tags=tags, created_at=now, updated_at=now)
        self.all[made.id] = made
        return made

    def routes(self) -> Iterator[Route]:
        """Give the routes."""
        yield Listing(
            template="/schedulers",
            context="Scheduler",
            rows=lambda _: [one.row() for one in reversed(self.all.values())],
        ).route()
        yield Route("POST", "/schedulers", self._create)
        yield Route("GET", "/schedulers/{id}", self._get)
        yield Route("PUT", "/schedulers/{id}", self._update)
        yield Route("DELETE", "/schedulers/{id}", self._delete)
        yield Route("POST", "/schedulers/rules", self._create_rule)
        yield Route("GET", "/schedulers/rules/{id}", self._get_rule)
        yield Route("PUT", "/schedulers/rules/{id}", self._update_rule)
        yield Route("DELETE", "/schedulers/rules/{id}", self._delete_rule)

    # For others

    def first_rules(self) -> Sequence[Rule] | None:
        """Give the rules of first extractions; None while those are switched off."""
        first = self.all.get(self._first)
        return first.rules if first is not None and first.is_enabled else None

    def lose(self, tag: JsonObject) -> None:
        """Forget a tag that is gone."""
        for scheduler in self.all.values():
            scheduler.tags = [one for one in scheduler.tags if one is not tag]

    # Time

    def _plan(self, scheduler: Scheduler, rule: Rule, after: datetime) -> None:
        """Say when a rule runs next, and see that it does. Time goes `speed` times as fast here as by the clock."""
        self.timers.drop_timer(rule.timer)
        rule.timer, rule.due = None, None
        if scheduler.is_enabled and rule.cron is not None:
            rule.due = due = rule.cron.after(after)
            rule.timer = self.timers.after((due - after).total_seconds(), lambda: self._run(scheduler, rule, due))

    def _run(self, scheduler: Scheduler, rule: Rule, due: datetime) -> None:
        for entity in self._entities(scheduler):
            self.start(entity, rule.extractor, rule.options)
        # A timer may come a moment early: never before it was due, or it would run twice.
        self._plan(scheduler, rule, max(due, self.now()))

    def _entities(self, scheduler: Scheduler) -> list[Entity]:
        """Give those that wear one of its tags now."""
        return [one for one in self.accounts.entities.values() if any(tag in scheduler.tags for tag in one.tags)]

    # Schedulers

    async def _create(self, call: Incoming) -> Reply:
        body = read_object(call)
        if body is None:
            return message(400, "Syntax error")
        problems = self._check(body)
        if body.get("type") != RECURRING:
            problems.append(("type", CHOICE if body.get("type") else BLANK))
        tags = self.read_tags(body.get("tags", []))
        if problems or tags is None:
            return violations([*problems, *([("tags", "Item not found.")] if tags is None else [])])
        name = body.get("name")
        made = self._new(str(name) if name else None, is_enabled=body.get("isEnabled") is not False, tags=tags)
        return answer(202, {"@context": "/contexts/Scheduler", **made.row()}, LD_JSON)

    async def _get(self, call: Incoming) -> Reply:
        found = self.all.get(call.args["id"])
        return detail(found.row() if found else None, "Scheduler")

    async def _update(self, call: Incoming) -> Reply:
        found, body = self.all.get(call.args["id"]), read_object(call)
        if found is None:
            return not_found()
        if body is None:
            return message(400, "Syntax error")
        tags = self.read_tags(body["tags"]) if "tags" in body else found.tags
        problems = self._check(body)
        if problems or tags is None:
            return violations([*problems, *([("tags", "Item not found.")] if tags is None else [])])
        found.name = str(body["name"]) if body.get("name") else found.name
        found.tags, found.updated_at = tags, self.now()
        if found.is_enabled != body.get("isEnabled", found.is_enabled):
            found.is_enabled = not found.is_enabled
            for rule in found.rules:
                self._plan(found, rule, self.now())
        return detail(found.row(), "Scheduler")

    async def _delete(self, call: Incoming) -> Reply:
        found = self.all.pop(call.args["id"], None)
        if found is None:
            return not_found()
        for rule in found.rules:
            self.timers.drop_timer(rule.timer)
        return Reply(status=204)

    def _check(self, body: JsonObject) -> list[Problem]:
        is_named = body.get("name") is not None
        return [*(check_text(body, "name") if is_named else ()), *check_flag(body, "isEnabled")]

    # Rules

    def _find_rule(self, number: str) -> tuple[Scheduler, Rule] | None:
        pairs = ((scheduler, rule) for scheduler in self.all.values() for rule in scheduler.rules)
        return next((pair for pair in pairs if pair[1].id == number), None)

    async def _create_rule(self, call: Incoming) -> Reply:
        body = read_object(call)
        if body is None:
            return message(400, "Syntax error")
        scheduler = self.all.get(number_of(str(body.get("scheduler") or ""), "/schedulers") or "")
        problems: list[Problem] = [] if scheduler else [("scheduler", "Item not found.")]
        extractor = body.get("extractor")
        problems += _check_extractor(extractor)
        if not problems:
            problems += _check_rule(str(extractor), body)
        if scheduler is None or problems:
            return violations(problems)
        now, options = self.now(), body.get("options")
        rule = Rule(
            id=self._ids(),
            extractor=str(extractor),
            options=options if isinstance(options, dict) else {},
            expression=None,
            created_at=now,
            updated_at=now,
        )
        scheduler.rules.append(rule)
        self._set_cron(scheduler, rule, body)
        return answer(202, {"@context": "/contexts/SchedulerRule", **scheduler.rule_row(rule)}, LD_JSON)

    def _set_cron(self, scheduler: Scheduler, rule: Rule, body: JsonObject) -> None:
        if body.get("cronExpression"):
            rule.expression = str(body["cronExpression"])
            rule.cron = Cron.read(rule.expression)
            self._plan(scheduler, rule, self.now())

    async def _get_rule(self, call: Incoming) -> Reply:
        found = self._find_rule(call.args["id"])
        return detail(found[0].rule_row(found[1]) if found else None, "SchedulerRule")

    async def _update_rule(self, call: Incoming) -> Reply:
        found, body = self._find_rule(call.args["id"]), read_object(call)
        if found is None:
            return not_found()
        if body is None:
            return message(400, "Syntax error")
        scheduler, rule = found
        extractor = body.get("extractor", rule.extractor)
        problems = _check_extractor(extractor) or _check_rule(str(extractor), body)
        if problems:
            return violations(problems)
        options = body.get("options", rule.options)
        rule.extractor, rule.updated_at = str(extractor), self.now()
        rule.options = options if isinstance(options, dict) else {}
        self._set_cron(scheduler, rule, body)
        return detail(scheduler.rule_row(rule), "SchedulerRule")

    async def _delete_rule(self, call: Incoming) -> Reply:
        found = self._find_rule(call.args["id"])
        if found is None:
            return not_found()
        scheduler, rule = found
        self.timers.drop_timer(rule.timer)
        scheduler.rules.remove(rule)
        return Reply(status=204)


def _check_extractor(extractor: Json) -> list[Problem]:
    if isinstance(extractor, str) and extractor in EXTRACTORS:
        return []
    return [("extractor", CHOICE if extractor else BLANK)]


def _check_rule(extractor: str, body: JsonObject) -> list[Problem]:
    """Check options and expression. A rule is for companies and persons: what fits one of them is fine."""
    problems: list[Problem] = []
    options, expression = body.get("options") or {}, body.get("cronExpression")
    if not isinstance(options, dict):
        problems.append(("options", "This value should be of type array."))
    else:
        of_company, of_person = (check_options(extractor, options, is_company=each) for each in (True, False))
        problems += of_company and of_person
    if expression is not None:
        try:
            Cron.read(expression if isinstance(expression, str) else "")
        except ValueError:
            problems.append(("cronExpression", "This value is not a valid cron expression."))
    return problems
