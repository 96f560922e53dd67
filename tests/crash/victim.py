"""The process to be killed, and the acts of a service that kill it at the right moment."""

from __future__ import annotations

from ..cli.acts import Act
from ..cli.command import Process
from ..cli.fake_service import Exchange


class Victim:
    """The process to be killed, once it is known, and the acts of a service that kill it."""

    process: Process

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def dies_before(self, act: Act) -> Act:
        """Kill it when its request has arrived; *act* then finds nobody."""

        def killing(exchange: Exchange) -> None:
            self.kill()
            act(exchange)

        return killing

    def dies_after(self, act: Act) -> Act:
        """Do *act*, then kill it: it may or may not have read the answer."""

        def killing(exchange: Exchange) -> None:
            act(exchange)
            self.kill()

        return killing
