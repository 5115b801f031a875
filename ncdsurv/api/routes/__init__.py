"""One small module per resource; `ROUTERS` is what the app mounts, in this order."""

from __future__ import annotations

from ncdsurv.api.routes import areas, data, forms, indicators, maps, quality, releases, trends

ROUTERS = (
    releases.router,
    indicators.router,
    areas.router,
    data.router,
    trends.router,
    maps.router,
    forms.router,
    quality.router,
)
