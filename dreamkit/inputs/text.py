"""Settings as text that any file can hold."""

import json


def json_text(value):
    """A JSON text, in plain letters where UTF-8 has them.

    File names that aren't UTF-8 hold surrogates, which UTF-8 cannot: they are written as escapes,
    and `json.loads` gives the same names back.

    >>> json_text({"source": "café.jpg"}), json_text({"source": "caf\\udce9.jpg"})
    ('{\\n "source": "café.jpg"\\n}', '{\\n "source": "caf\\\\udce9.jpg"\\n}')
    """
    text = json.dumps(value, indent=1, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=1)
    return text
