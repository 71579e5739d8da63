"""The HTML page: one file with everything inside, which loads nothing and runs only its own two scripts.

Whatever comes from a campaign is text: escaped in the page, and in the plots' JSON no `<` is left. A content
security policy names the two scripts by their hashes, so that a third would not run even if it got in.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any, Final

from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

STYLE: Final = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; background: #fff; margin: 0 auto;
  max-width: 1060px; padding: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .4rem; border-top: 1px solid #d5dbe1; padding-top: 1.3rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .2rem; }
p { max-width: 46rem; margin: .4rem 0; }
.note { color: #56616d; font-size: .88rem; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: .7rem;
  margin: 1.2rem 0; }
.tile { background: #f4f7fa; border-radius: 6px; padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.35rem; line-height: 1.3; overflow-wrap: anywhere; }
.tile span { color: #56616d; font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; margin: .6rem 0; }
th, td { text-align: left; padding: .28rem .7rem .28rem 0; border-bottom: 1px solid #e4e8ec;
  vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 3.2rem; }
th { border-bottom: 2px solid #b8c1ca; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.plot { width: 100%; min-width: 640px; margin: .6rem 0; }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  h2 { break-after: avoid; }
  .plot, .tiles, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  .plot { min-width: 0; }
}
"""

SCRIPT: Final = """
for (const [place, figure] of Object.entries(JSON.parse(document.getElementById("figures").textContent))) {
  Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displayModeBar: false });
}
document.body.dataset.drawn = "yes";
"""


@dataclass(frozen=True)
class Grid:
    """A table. Columns whose name begins with `#` hold numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Plot:
    """A figure; `summary` says in words what it shows."""

    figure: Any
    summary: str


Part = str | Grid | Plot  # a string is a paragraph


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: Sequence[Part]


def page(
    title: str, notes: Sequence[str], tiles: Sequence[tuple[str, str]], sections: Sequence[Section]
) -> str:
    """The whole page; all texts are plain text. `tiles` are figures and what they are of."""
    figures: dict[str, Any] = {}
    body = [f"<h1>{escape(title)}</h1>"]
    body += [f'<p class="note">{escape(note)}</p>' for note in notes]
    body.append('<div class="tiles">')
    body += [
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(what)}</span></div>' for value, what in tiles
    ]
    body.append("</div>")
    for section in sections:
        body.append(f"<section><h2>{escape(section.title)}</h2>")
        body += [_part(part, figures) for part in section.parts]
        body.append("</section>")
    library = get_plotlyjs()
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'; "
        f"script-src {_hash(library)} {_hash(SCRIPT)}"
    )
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>\n<body>",
            *body,
            f'<script type="application/json" id="figures">{embedded(figures)}</script>',
            f"<script>{library}</script>",
            f"<script>{SCRIPT}</script>",
            "</body>\n</html>\n",
        ]
    )


def embedded(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _part(part: Part, figures: dict[str, Any]) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    if isinstance(part, Grid):
        return _table(part)
    place = f"plot-{len(figures) + 1}"
    # Plotly's own JSON knows arrays and what is not finite.
    figures[place] = json.loads(part.figure.to_json())
    height = part.figure.layout.height
    return (
        f'<div class="scroll"><div class="plot" id="{place}" role="img" aria-label="{escape(part.summary)}"'
        f' style="min-height:{int(height)}px"></div></div>'
    )


def _table(grid: Grid) -> str:
    number = [name.startswith("#") for name in grid.columns]
    mark = [' class="number"' if each else "" for each in number]
    head = "".join(
        f"<th{m}>{escape(n.removeprefix('#'))}</th>" for n, m in zip(grid.columns, mark, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(f"<td{m}>{escape(str(c))}</td>" for c, m in zip(row, mark, strict=True)) + "</tr>"
        for row in grid.rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
