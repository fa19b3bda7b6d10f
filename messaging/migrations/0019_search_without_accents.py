"""The indexes of words and names, in which accents no longer count."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations


def _index(name: str, config: str, *fields: str) -> django.contrib.postgres.indexes.GinIndex:
    words = django.contrib.postgres.search.SearchVector(*fields, config=config)
    return django.contrib.postgres.indexes.GinIndex(words, name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0018_automatic_answers"),
        ("tenants", "0012_plain_search"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="contact", name="contact_by_name"),
        migrations.RemoveIndex(model_name="message", name="message_by_words"),
        migrations.AddIndex(
            model_name="contact",
            index=_index("contact_by_name", "public.names_plain", "profile_name", "username"),
        ),
        migrations.AddIndex(model_name="message", index=_index("message_by_words", "public.dutch_plain", "text")),
    ]
