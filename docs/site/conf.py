"""How the site is built from what `build.py` puts together; its pages load nothing from elsewhere."""

import re
from typing import ClassVar

from sphinx.search import SearchEnglish, languages

project = "gmsafety"
html_title = "gmsafety"
author = "gmsafety"
language = "en"
extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = [
    "misc.highlighting_failure",  # an example with … in it, or with the name of its file, is no whole program
    "myst.header",  # a README is a page of its own, and begins as it likes
]
html_theme = "furo"
html_search_language = "pairs"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
pygments_style = "friendly"


class SearchPairs(SearchEnglish):
    """English by words, Chinese by pairs of characters: 重大隐患 is found as 重大, 大隐, 隐患."""

    lang = "pairs"
    _runs: ClassVar[re.Pattern[str]] = re.compile(r"[\u3400-\u9fff]+|[A-Za-z0-9_]+")
    # The template escapes quotes, ampersands and angle brackets: there are none in it.
    js_splitter_code = r"""
var splitQuery = function (query) {
  var found = [];
  (query.match(/\p{Script=Han}+|[A-Za-z0-9_]+/gu) || []).forEach(function (run) {
    if (/\p{Script=Han}/u.test(run) === false || run.length === 1) found.push(run);
    else for (var i = 0; i !== run.length - 1; i++) found.push(run.slice(i, i + 2));
  });
  return found;
};
"""

    def split(self, input: str) -> list[str]:
        """Words of a text as the index keeps them."""
        found: list[str] = []
        for run in self._runs.findall(input):
            one = run.isascii() or len(run) == 1
            found += [run] if one else [run[i : i + 2] for i in range(len(run) - 1)]
        return found


languages["pairs"] = SearchPairs
