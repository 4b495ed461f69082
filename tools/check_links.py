"""Check all links and anchors between the pages of the built site, offline.

``python tools/check_links.py docs/_build/html`` prints each broken link and exits with 1 if there
is one. Addresses of other sites are only checked for their form.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes that hold an address, by tag.
ADDRESSES = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect an address and an anchor."""
        found = dict(attrs)
        self.anchors.update(value for key in ("id", "name") if (value := found.get(key)))
        if tag in ADDRESSES and (value := found.get(ADDRESSES[tag])):
            self.links.append(value)


def _pages(root: Path) -> list[Path]:
    """All pages; `_static` has templates of the theme."""
    return [path for path in root.rglob("*.html") if "_static" not in path.parts]


def broken_links(root: Path) -> list[str]:
    """A line for each link that leads nowhere."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in _pages(root)}
    problems = []
    for path, page in sorted(pages.items()):
        for link in sorted(set(page.links)):
            address = urlsplit(link)
            if address.scheme in ("http", "https", "mailto", "data") or address.netloc:
                well_formed = address.scheme in ("mailto", "data") or "." in address.netloc
                if not well_formed:
                    problems.append(f"{path}: {link}: no host")
                continue
            target = path
            if address.path:
                target = (path.parent / unquote(address.path)).resolve()
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                problems.append(f"{path}: {link}: no such file")
            elif target in pages and unquote(address.fragment) not in pages[target].anchors:
                problems.append(f"{path}: {link}: no such anchor")
    return problems


def main(arguments: list[str]) -> int:
    """Print what is broken; the exit status."""
    (root,) = arguments
    n_pages = len(_pages(Path(root)))
    problems = broken_links(Path(root))
    print("\n".join([*problems, f"{len(problems)} broken links in {n_pages} pages"]))
    return int(bool(problems) or not n_pages)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
