"""snake_case inside, camelCase outside."""


def camel(name: str) -> str:
    """Return a name of ours as the API writes it."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
