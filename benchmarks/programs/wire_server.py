"""A server that costs next to nothing: a short status after a delay, and one film under any name.

    python -m benchmarks.programs.wire_server DELAY_S FILM [MBIT_PER_S]

The film goes out by sendfile(2), over a link of so many Mbit/s that all connections share.  The first line
printed is the address.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

PIECE: Final = 1 << 18
STATUS: Final = b'{"request_id": "00000000-0000-0000-0000-000000000000", "status": "in_progress"}'
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Server:
    def __init__(self, delay_s: float, film: Path, bytes_per_s: float) -> None:
        self._delay_s = delay_s
        self._film = film
        self._bytes_per_s = bytes_per_s
        self._link_free_at = 0.0

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                if asked.startswith(b"GET /film"):
                    await self._send_film(writer)
                else:
                    await asyncio.sleep(self._delay_s)
                    writer.write(HEAD % len(STATUS) + STATUS)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _send_film(self, writer: asyncio.StreamWriter) -> None:
        loop, size = asyncio.get_running_loop(), self._film.stat().st_size
        writer.write(HEAD.replace(b"application/json", b"video/mp4") % size)
        piece = PIECE if self._bytes_per_s else size
        with self._film.open("rb") as file:
            for begin in range(0, size, piece):
                await self._wait_for_link(min(piece, size - begin))
                await loop.sendfile(writer.transport, file, begin, min(piece, size - begin))

    async def _wait_for_link(self, size: int) -> None:
        if self._bytes_per_s:
            now = asyncio.get_running_loop().time()
            self._link_free_at = max(now, self._link_free_at) + size / self._bytes_per_s
            await asyncio.sleep(self._link_free_at - now)


async def main(delay_s: str, film: str, mbit_per_s: str = "0") -> None:
    served = Server(float(delay_s), Path(film), float(mbit_per_s) * 1e6 / 8)
    listening = await asyncio.start_server(served.connection, "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
