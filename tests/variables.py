"""The environment of a command or a process that is to reach simulators."""

from __future__ import annotations

from belvo_async.simulator import BelvoSimulator, SyntageSimulator


def variables_of(*simulators: BelvoSimulator | SyntageSimulator) -> dict[str, str]:
    """What `from_env` reads: where each simulator is, and its credentials."""
    found: dict[str, str] = {}
    for each in simulators:
        if isinstance(each, BelvoSimulator):
            found |= {
                "BELVO_SECRET_ID": each.secret_id,
                "BELVO_SECRET_PASSWORD": each.secret_password,
                "BELVO_BASE_URL": each.url,
                "BELVO_WEBHOOK_AUTH": each.webhook_authorization,
            }
        else:
            found |= {
                "SYNTAGE_API_KEY": each.api_key,
                "SYNTAGE_BASE_URL": each.url,
                "SYNTAGE_WEBHOOK_SECRET": each.signing_secret,
            }
    return found
