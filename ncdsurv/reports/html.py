"""An executed notebook as one page: no code, no script, nothing fetched, ready for print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")


def to_html(notebook: Any, *, title: str, lang: str) -> str:
    """Render an executed notebook with the project's own template.

    Args:
        notebook: The executed notebook (nbformat node).
        title: Title of the page.
        lang: Language of the page.

    Returns:
        The whole page; images are embedded.
    """
    from nbconvert.exporters import TemplateExporter
    from traitlets.config import Config

    config = Config()
    config.TemplateExporter.exclude_input = True
    config.TemplateExporter.exclude_input_prompt = True
    config.TemplateExporter.exclude_output_prompt = True
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {"internal", "parameters", "injected-parameters"}
    exporter = TemplateExporter(
        config=config,
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        template_file="index.html.j2",
    )
    exporter.register_preprocessor("nbconvert.preprocessors.TagRemovePreprocessor", enabled=True)
    style = (TEMPLATES / "report" / "style.css").read_text(encoding="utf-8")
    body, _ = exporter.from_notebook_node(
        notebook, resources={"page": {"title": title, "lang": lang, "style": style}}
    )
    return body
