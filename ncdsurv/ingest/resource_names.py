"""The names by which resources refer to each other: full URL, type and id, identifier, contained."""

from __future__ import annotations

import re
from typing import Any

from ncdsurv.ingest.resource_places import clean_text, flat, plain

_REST = re.compile(r"^(?P<base>.*?)/?(?P<tail>[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")
_BY_IDENTIFIER = re.compile(r"^[A-Z][A-Za-z]+\?identifier=(?P<system>[^|&]*)\|(?P<value>[^&]+)$")
_LONGEST_NAME = 1024


def references(value: Any, owner: str, full_url: str) -> list[str]:
    """The names under which the target of a reference may be known, the surest first.

    Args:
        value: A Reference.
        owner: What tells this resource from all others, for what is contained in it.
        full_url: Full URL of the resource that refers.
    """
    if not isinstance(value, dict):
        return []
    names: list[str] = []
    written = value.get("reference")
    if isinstance(written, str) and 0 < len(written) <= _LONGEST_NAME:
        written = clean_text(written) or ""
        rest, by_identifier = _REST.match(written), _BY_IDENTIFIER.match(written)
        if written.startswith("#"):
            names.append(f"{owner}{written}")
        elif by_identifier:
            names.append(_identifier_name(by_identifier["system"], by_identifier["value"]))
        elif rest and rest["base"]:
            names += [f"{rest['base']}/{rest['tail']}", f"any:{rest['tail']}"]
        elif rest:
            own = _REST.match(full_url[:_LONGEST_NAME])
            names += [f"{own['base']}/{rest['tail']}"] if own and own["base"] else []
            names.append(f"rel:{rest['tail']}")
        else:
            names.append(written)
        return names
    identifier = value.get("identifier")
    return identifier_names(identifier)


def identifier_names(identifiers: Any) -> list[str]:
    """The names that identifiers give a resource."""
    return [
        _identifier_name(item["system"], item["value"])
        for item in flat(identifiers)
        if isinstance(item, dict)
        and isinstance(item.get("system"), str)
        and isinstance(item.get("value"), str)
    ]


def _identifier_name(system: str, value: str) -> str:
    return f"id:{plain(clean_text(system) or '')}|{clean_text(value.strip())}"


def own_names(kind: str, resource: dict[str, Any], full_url: str, owner: str) -> list[str]:
    """The names of a resource, the one that makes it itself first: what is written under one of them is this one."""
    number = resource.get("id")
    tail = ""
    if isinstance(number, str) and 0 < len(number) <= _LONGEST_NAME:
        tail = f"{kind}/{clean_text(number)}"
    full_url = (clean_text(full_url) or "") if len(full_url) <= _LONGEST_NAME else ""
    url = _REST.match(full_url)
    names = []
    if url and url["base"]:
        names.append(f"{url['base']}/{url['tail']}")
    elif full_url:
        names += [full_url, *([f"any:{tail}"] if tail else [])]
    elif tail:
        names.append(f"any:{tail}")
    names += [f"rel:{tail}"] if tail else []
    return [*(names or [owner]), *identifier_names(resource.get("identifier"))]
