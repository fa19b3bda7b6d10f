"""From application to live: what BSP and municipality fill in together, who approved it, and how it came to Meta."""
