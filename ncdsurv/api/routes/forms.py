"""Statutory forms: which versions there are, and each filled as JSON, CSV or XLSX."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.answers import choose_format, to_csv
from ncdsurv.api.models_reports import FormAnswer, FormItem, FormList
from ncdsurv.api.problems import Problem, unknown_code
from ncdsurv.api.queries import FormQuery, NoQuery
from ncdsurv.api.routes.common import FormReader, ServiceHere, deliver
from ncdsurv.catalog import load_catalog
from ncdsurv.forms import FormTable, fill_form

router = APIRouter(tags=["forms"])


@router.get("/forms", operation_id="list_forms", response_model=FormList)
def list_forms(
    request: Request, service: ServiceHere, caller: FormReader, query: Annotated[NoQuery, Query()]
) -> Response:
    """Versions of the statutory forms, with the periods in which each is valid."""
    catalog = load_catalog()
    delivery = deliver(request, service.open(None), caller, None, depends_on=catalog.definitions_hash)
    forms = [form.model_dump(mode="json") for form in catalog.forms.values()]
    items = [
        {name: list(form[name]) if name == "levels" else form[name] for name in FormItem.model_fields}
        for form in forms
    ]
    return delivery.unchanged() or delivery.send_json({"data": items})


@router.get("/forms/{form_id}", operation_id="get_form", response_model=FormAnswer)
def get_form(
    request: Request,
    service: ServiceHere,
    caller: FormReader,
    form_id: str,
    query: Annotated[FormQuery, Query()],
) -> Response:
    """A form filled for one reporting unit and period, as JSON rows, CSV or XLSX ready to print.

    A blocked cell and a cell without data are null; `state` says which. Asking for a period outside the
    form's validity is an error that names the right form.
    """
    catalog = load_catalog()
    if form_id not in catalog.forms:
        raise Problem(404, f"there is no form {form_id}", [unknown_code("form_id", form_id, catalog.forms)])
    opened = service.open_for(query.release)
    chosen = choose_format(request, query.format, ("json", "csv", "xlsx"))
    delivery = deliver(request, opened, caller, query.release, chosen, depends_on=catalog.definitions_hash)
    if caller.areas is not None:
        opened.require_visible(caller, [(catalog.forms[form_id].vintage.value, query.area)])
    if answer := delivery.unchanged():
        return answer
    form = fill_form(form_id, query.area, query.period, opened.filled_from, query.lang.value, catalog)
    name = f"{form_id}_{query.area}_{query.period}"
    if chosen == "xlsx":
        from ncdsurv.forms.xlsx import form_bytes

        return delivery.send(
            form_bytes(form), **{"Content-Disposition": f'attachment; filename="{name}.xlsx"'}
        )
    if chosen == "csv":
        return delivery.send(to_csv(form.data))
    return delivery.send_json(_body(form))


def _body(form: FormTable) -> dict[str, Any]:
    lang = form.lang
    rows = [
        {
            "row_code": row.row_code,
            "label": row.label,
            "depth": row.depth,
            "unit_code": row.unit_code,
            "cells": [
                {
                    "disease": cell[0],
                    "measure": cell[1],
                    "value": row.figures.get(cell),
                    "state": row.state(cell).value,
                }
                for cell in form.cells()
            ],
        }
        for row in form.rows
    ]
    return {
        "release": form.release_id,
        "form": form.form.id,
        "number": form.layout.number[lang],
        "title": form.title,
        "verified": form.form.verified,
        "level": form.level.value,
        "area_code": form.area_code,
        "area_name": form.area_name,
        "vintage": form.form.vintage.value,
        "period": str(form.period),
        "figures_to": form.figures_to,
        "standing": form.standing(),
        "notes": [note[lang] for note in form.form.notes],
        "rows": rows,
        "findings": [{"check": found.check, "text": found.text} for found in form.findings],
    }
