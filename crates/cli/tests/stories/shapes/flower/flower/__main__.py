import asyncio

from tornado.options import define, options, parse_command_line

from flower.app import Flower

define("address", default="127.0.0.1")
define("port", default=5555)


async def serve():
    Flower().listen(options.port, options.address)
    await asyncio.Event().wait()


def main():
    parse_command_line()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
