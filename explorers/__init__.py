"""What do I see?

    from explorers.attention_map import attention
    finding = attention("cat.jpg", "registry/dinov2-small", layer=11)
    finding.arrays["map"], finding.said("en")

Importing this package costs nothing; neither does importing an explorer: torch comes with the first picture.
"""
