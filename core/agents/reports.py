"""stub"""


def neutral(text: str) -> str:
    """stub"""
    return text
