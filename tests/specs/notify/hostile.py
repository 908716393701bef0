"""Names that would be more than names, if anything let them."""

NAMES = (
    "<script>window.hacked=1</script>",
    '<img src="https://evil.example/x.png" onerror="window.hacked=1">',
    "\"><svg onload='window.hacked=1'>",
    "' onmouseover='window.hacked=1' x='",
    '</td></tr></table><h1>Payez ici</h1><a href="https://evil.example">ici</a>',
    "<!-- --!> <style>*{display:none}</style>",
    "{{ 7*7 }} {% for x in y %} %total% %% ${7*7} #{7*7} <%= 7*7 %>",
    "&lt;b&gt; &amp;amp; &#60;script&#62;",
    "javascript:window.hacked=1",
    '#eval("1+1") $x$ *bold* _it_ @ref <label> \\ `raw` // no /* end */ [link](https://evil.example)',
    "**gras** %client_code%",
    "Dupont\u202egnp.exe\u202c & Cie \u2066x\u2069",
)
