"""Adapters that hand webhook deliveries to a session: `asgi` for any ASGI framework, `aiohttp` for aiohttp.web."""
