"""WhatsApp's own marks become HTML, and nothing else does."""

import pytest

from web.formatting import formatted


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*vet* _schuin_ ~weg~ `code`", "<strong>vet</strong> <em>schuin</em> <s>weg</s> <code>code</code>"),
        ("*vet en _schuin_*", "<strong>vet en <em>schuin</em></strong>"),
        ("een\ntwee\n\ndrie", "een<br>twee<br><br>drie"),
        ("Neem mee:\n- paspoort\n- foto\nTot dan", "Neem mee:<ul><li>paspoort</li><li>foto</li></ul>Tot dan"),
        ("1. eerst\n2. dan", "<ol><li>eerst</li><li>dan</li></ol>"),
        ("> gezegd\nja", "<blockquote>gezegd</blockquote>ja"),
        ("```\nx < y\n```", '<code class="fixed">x &lt; y</code>'),
        # None of these is a mark.
        ("5 * 3 * 2", "5 * 3 * 2"),
        ("een_lange_naam en 2*3*4", "een_lange_naam en 2*3*4"),
        ("*niet\nover regels*", "*niet<br>over regels*"),
        ("* los", "<ul><li>los</li></ul>"),
        ("**", "**"),
        ("```", "```"),
        # Whatever it is, it is escaped.
        ("*<img src=x onerror=alert(1)>*", "<strong>&lt;img src=x onerror=alert(1)&gt;</strong>"),
        ("`<script>`", "<code>&lt;script&gt;</code>"),
        ("- <b>\n> \"'&", "<ul><li>&lt;b&gt;</li></ul><blockquote>&quot;&#x27;&amp;</blockquote>"),
        ("https://phish.example/", "https://phish.example/"),
    ],
)
def test_a_text_is_shown_as_whatsapp_shows_it(text, html):
    assert str(formatted(text)) == html


def test_an_endless_row_of_marks_takes_no_time():
    assert len(formatted("*_~`" * 1024 + "> " * 500)) > 4096
