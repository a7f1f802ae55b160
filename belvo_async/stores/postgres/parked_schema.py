"""The tables of the PostgreSQL store that keep early deliveries, and what gives way among them as functions."""

from __future__ import annotations

from typing import LiteralString

from ..sql import CROWDED, FIRST_TO_GO, IS_STRANGE, NEWEST_FIRST


def _drop_strangers(name: LiteralString, order: LiteralString) -> LiteralString:
    """Lets strangers go, of the first `look` rows in an order or, for NULL, of all. Gives how many went."""
    return f"""
    CREATE FUNCTION {name}(most bigint, look bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        went bigint;
    BEGIN
        DELETE FROM parked WHERE number = ANY (ARRAY(
            SELECT number FROM (SELECT * FROM parked ORDER BY {order} LIMIT look) AS seen WHERE {IS_STRANGE}
            ORDER BY {order} LIMIT most
        ));
        GET DIAGNOSTICS went = ROW_COUNT;
        RETURN went;
    END $$
    """  # noqa: S608 - constants of this file


# Of what most is kept of, lets those go that were parked longest. Gives how many went.
_DROP_CLAIMABLE: LiteralString = f"""
    CREATE FUNCTION drop_claimable(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        went bigint;
    BEGIN
        DELETE FROM parked WHERE number = ANY (ARRAY({CROWDED} LIMIT most));
        GET DIAGNOSTICS went = ROW_COUNT;
        RETURN went;
    END $$
"""  # noqa: S608 - constants of this package

# What `parked.evict` does, with its numbers `at_once` and `least_look`.
_EVICT: LiteralString = """
    CREATE FUNCTION evict_parked(
        most_count bigint, most_bytes bigint, at_once bigint, least_look bigint,
        OUT strangers bigint, OUT claimable bigint
    ) LANGUAGE plpgsql AS $$
    DECLARE
        load record;
        excess bigint;
        goal bigint;
        look bigint;
        went bigint;
        claimed bigint;
    BEGIN
        strangers := 0;
        claimable := 0;
        LOOP
            SELECT count, bytes INTO load FROM parked_load;
            EXIT WHEN load.count <= most_count AND load.bytes <= most_bytes;
            excess := greatest(1, load.count - most_count);
            goal := greatest(excess, load.count / at_once);
            look := greatest(least_look, goal);
            went := drop_strangers(goal, look);
            IF went = 0 THEN
                went := drop_newest_strangers(excess, look);
            END IF;
            IF went = 0 THEN
                went := drop_strangers(goal, NULL);
                claimed := CASE WHEN went < goal THEN drop_claimable(goal - went) ELSE 0 END;
                claimable := claimable + claimed;
                EXIT WHEN went + claimed = 0;
            END IF;
            strangers := strangers + went;
        END LOOP;
    END $$
"""

_WEIGH: LiteralString = """
    CREATE FUNCTION weigh_parked() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        sign CONSTANT int := CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE -1 END;
    BEGIN
        UPDATE parked_load AS load SET count = load.count + sign * more.count, bytes = load.bytes + sign * more.bytes
        FROM (SELECT count(*), coalesce(sum(length(document)), 0) FROM moved) AS more (count, bytes)
        WHERE more.count > 0;
        RETURN NULL;
    END $$
"""

# `subject` is a digest; `claim` the resource a nameless job must have to claim the row, NULL where any may.
PARK: tuple[LiteralString, ...] = (
    """
    CREATE TABLE parked (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account text COLLATE "C" NOT NULL,
        remote_id text COLLATE "C",
        subject bytea,
        claim text COLLATE "C",
        report boolean NOT NULL,
        at bigint NOT NULL,
        identity bytea NOT NULL,
        document bytea NOT NULL,
        UNIQUE (account, identity)
    )
    """,
    "CREATE INDEX parked_order ON parked (report DESC, number)",
    "CREATE INDEX parked_remote_id ON parked (account, remote_id)",
    "CREATE INDEX parked_claim ON parked (account, subject, claim, at, number) WHERE claim IS NOT NULL",
    # How much is parked: counting rows at each insertion would read them all.
    "CREATE TABLE parked_load (count bigint NOT NULL, bytes bigint NOT NULL) WITH (fillfactor = 10)",
    "INSERT INTO parked_load VALUES (0, 0)",
    _WEIGH,
    """
    CREATE TRIGGER parked_more AFTER INSERT ON parked REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION weigh_parked()
    """,
    """
    CREATE TRIGGER parked_less AFTER DELETE ON parked REFERENCING OLD TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION weigh_parked()
    """,
    _drop_strangers("drop_strangers", FIRST_TO_GO),
    _drop_strangers("drop_newest_strangers", NEWEST_FIRST),
    _DROP_CLAIMABLE,
    _EVICT,
)
