"""Why somebody who came by the provider is not let in: for the page, for the log, never with a name or a token."""


class SignOnRefused(Exception):
    """``code`` for programs; ``detail`` tells an operator more, and nothing of the person."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class ProviderSilent(SignOnRefused):
    """The provider does not answer, or not as one does: later may help."""

    def __init__(self, detail: str) -> None:
        super().__init__("provider_silent", detail)


class ProviderUnfit(SignOnRefused):
    """What the provider tells of itself does not fit the settings: an operator has to look."""

    def __init__(self, detail: str) -> None:
        super().__init__("provider_unfit", detail)
