"""A report as HTML for notebooks: one style for light and dark pages, no script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

#: Colours follow the browser's setting. All rules are below the class, so the page keeps its own.
STYLE = """
.skq-report { --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --paper: #ffffff;
  --stripe: #f6f8fa; --bar: #54aeff66; color: var(--ink); background: var(--paper);
  border: 1px solid var(--line); border-radius: 6px; padding: 0.8em 1em; max-width: 60em;
  font: 14px/1.45 system-ui, sans-serif; box-sizing: border-box; overflow-x: auto; }
.skq-report .skq-title { font-weight: 600; font-size: 1.1em; }
.skq-report .skq-widths { color: var(--quiet); margin-bottom: 0.7em; }
.skq-report dl { display: flex; flex-wrap: wrap; gap: 0.4em 1.8em; margin: 0 0 0.9em; }
.skq-report dt { color: var(--quiet); font-size: 0.85em; font-weight: 400; }
.skq-report dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.skq-report table { border-collapse: collapse; width: 100%; margin: 0; font: inherit;
  color: inherit; }
.skq-report th, .skq-report td { text-align: right; padding: 0.25em 0.6em; white-space: nowrap;
  border: 0; border-bottom: 1px solid var(--line); background: transparent; color: inherit;
  font-variant-numeric: tabular-nums; }
.skq-report thead th { color: var(--quiet); font-weight: 600; }
.skq-report tbody tr:nth-child(even) { background: var(--stripe); }
.skq-report tbody tr:nth-child(odd) { background: transparent; }
.skq-report .skq-text { text-align: left; white-space: normal; overflow-wrap: break-word; }
.skq-report .skq-bar { background: linear-gradient(var(--bar), var(--bar)) left / var(--share) 100%
  no-repeat; }
@media (max-width: 600px) {
  .skq-report { font-size: 12px; padding: 0.6em; }
  .skq-report th, .skq-report td { padding: 0.2em 0.3em; }
  .skq-report th:first-child, .skq-report td:first-child { display: none; }
}
@media (prefers-color-scheme: dark) {
  .skq-report { --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d; --paper: #0d1117;
    --stripe: #151b23; --bar: #1f6feb88; }
}
"""


def report_html(
    title: str,
    widths: str,
    figures: Mapping[str, str],
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    shares: Iterable[float],
) -> str:
    """HTML of a report.

    Parameters
    ----------
    title, widths : str
    figures : mapping of str to str
        Figures of the whole model, by name.
    head : sequence of str
        Of the table. The first two columns are text; the third has the bars.
    rows : iterable of sequence of str
    shares : iterable of float
        Length of the bar of each row, in [0, 1]; 0 for none.
    """
    listed = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in figures.items()
    )
    body = "".join(_row("td", row, share) for row, share in zip(rows, shares, strict=True))
    return (
        f'<div class="skq-report"><style>{STYLE}</style>'
        f'<div class="skq-title">{html.escape(title)}</div>'
        f'<div class="skq-widths">{html.escape(widths)}</div><dl>{listed}</dl>'
        f"<table><thead>{_row('th', head)}</thead><tbody>{body}</tbody></table></div>"
    )


def _row(tag: str, cells: Sequence[str], share: float = 0.0) -> str:
    written = []
    for i, cell in enumerate(cells):
        kind = ' class="skq-text"' if i < 2 else ""
        if i == 2 and share > 0:
            kind = f' class="skq-bar" style="--share: {share:.0%}"'
        written.append(f"<{tag}{kind}>{html.escape(cell)}</{tag}>")
    return f"<tr>{''.join(written)}</tr>"
