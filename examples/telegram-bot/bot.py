"""A bot with a Mini App: who opens the app is signed in by userd, may order, and is told of it in the chat.

One process: aiogram asks for updates, aiohttp serves the app's page and its orders.
"""

import asyncio
import os
from collections import defaultdict
from pathlib import Path

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message, WebAppInfo
from aiohttp import web

from userd import AsyncUserd, Token
from userd.errors import InvalidToken, Unavailable

PUBLIC = Path(__file__).parent / "public"


def dispatcher(app_url: str) -> Dispatcher:
    chat = Dispatcher()

    @chat.message(CommandStart())
    async def start(message: Message) -> None:
        button = InlineKeyboardButton(text="Orders", web_app=WebAppInfo(url=app_url))
        await message.answer("Open the shop:", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))

    @chat.message()
    async def other(message: Message) -> None:
        await message.answer("/start opens the shop.")

    return chat


def shop(userd: AsyncUserd, issuer: str) -> web.Application:
    orders: defaultdict[str, list[str]] = defaultdict(list)

    async def caller(request: web.Request) -> Token:
        try:
            return await userd.authenticate(request.headers.get("authorization"))
        except InvalidToken as error:
            raise web.HTTPUnauthorized(headers={"www-authenticate": error.challenge}) from None
        except Unavailable:
            raise web.HTTPServiceUnavailable(headers={"retry-after": "1"}) from None

    async def own(request: web.Request) -> web.Response:
        return web.json_response(orders[(await caller(request)).subject])

    async def add(request: web.Request) -> web.Response:
        token = await caller(request)
        what = str((await request.json())["what"])
        orders[token.subject].append(what)
        # userd knows who this is in Telegram, and whether the bot may write there.
        await userd.call("POST", "/v1/notifications", {
            "to": {"user_ids": [token.subject]}, "category": "orders", "title": "Ordered", "body": what,
            "channels": ["telegram"],
        })
        return web.json_response(orders[token.subject], status=201)

    async def settings(_: web.Request) -> web.Response:
        return web.json_response({"userd": issuer})

    async def page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(PUBLIC / "index.html")

    app = web.Application()
    app.add_routes([
        web.get("/", page), web.get("/settings.json", settings), web.get("/orders", own), web.post("/orders", add),
        web.static("/", PUBLIC),
    ])
    return app


async def main() -> None:
    env = os.environ
    # Telegram's own server, or a Bot API server of yours.
    server = TelegramAPIServer.from_base(env.get("BOT_API", "https://api.telegram.org"))
    bot = Bot(env["BOT_TOKEN"], AiohttpSession(api=server))
    async with AsyncUserd(
        env["USERD"], client_id=env["USERD_CLIENT_ID"], client_secret=env["USERD_CLIENT_SECRET"]
    ) as userd:
        served = web.AppRunner(shop(userd, env["USERD"]))
        await served.setup()
        await web.TCPSite(served, "127.0.0.1", int(env.get("PORT", "8002"))).start()
        await dispatcher(env["APP_URL"]).start_polling(bot)
        await served.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
