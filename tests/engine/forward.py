"""``python -m tests.engine.forward [HERE:PORT=THERE:PORT]...``: what connects here goes on there.

The service of a test listens on this machine's loopback only; other machines have loopbacks of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def main(ways: list[str]) -> None:
    servers = []
    for way in ways:
        (host, port), there = (end.split(":") for end in way.split("="))

        async def lead(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: list[str] = there
        ) -> None:
            with contextlib.suppress(OSError):
                onward, back = await asyncio.open_connection(there[0], int(there[1]))
                await asyncio.gather(copy(reader, back), copy(onward, writer))

        servers.append(await asyncio.start_server(lead, host, int(port)))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
