"""Settings of Sphinx. `make docs` builds the site into docs/_build/html."""

import os
import sys
import warnings
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
os.environ.setdefault("MPLBACKEND", "Agg")

from _ext.gallery_order import EXAMPLES_NOT_RUN

import skq

project = "skq"
author = "The skq developers"
copyright = "The skq developers. BSD-3-Clause license"
version = release = skq.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "_ext.external_links",
    "_ext.docstrings",
    "_ext.root_pages",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "requirements.txt", "auto_examples/**/*.md5"]
root_doc = "index"
default_role = "code"

# Markdown
myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
myst_all_links_external = False

# API reference
autosummary_generate = True
autosummary_imported_members = False
autodoc_typehints = "none"
autodoc_member_order = "groupwise"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Roles of scikit-learn's docstrings
extlinks = {
    "doi": ("https://doi.org/%s", "doi:%s"),
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
}

# Gallery
sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"\.py$",
    "ignore_pattern": rf"({'|'.join(EXAMPLES_NOT_RUN)})\.py$",
    "within_subsection_order": "_ext.gallery_order.example_order",
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 10,
    "abort_on_example_error": False,
    "matplotlib_animations": False,
}

# HTML
html_theme = "pydata_sphinx_theme"
html_title = "skq"
html_static_path = ["_static"]
html_css_files = ["skq.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "navigation_with_keys": False,
}
html_sidebars = {"install": [], "whats-new": [], "index": []}

# Each example and page is silent; what would warn in the build is an error (`make docs`).
warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch")
