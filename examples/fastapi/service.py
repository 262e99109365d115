"""A service with orders: whoever is signed in sees their own, who may delete deletes, and a purged account is forgotten.

    userd clients create orders --permission revocations.read      # prints id and secret
    USERD=http://127.0.0.1:8080 USERD_CLIENT_ID=… USERD_CLIENT_SECRET=… uvicorn service:app --port 8001
"""

import os
from collections import defaultdict
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

from userd import AsyncUserd, Token
from userd.fastapi import Auth
from userd.webhooks import Webhook


class NewOrder(BaseModel):
    what: str


def make(userd: AsyncUserd, webhook: Webhook | None = None) -> FastAPI:
    app = FastAPI(title="Orders")
    auth = Auth(app, userd)
    orders: defaultdict[str, list[str]] = defaultdict(list)

    @app.get("/orders")
    async def own(caller: Annotated[Token, Depends(auth)]) -> list[str]:
        return orders[caller.subject]

    @app.post("/orders", status_code=201)
    async def add(order: NewOrder, caller: Annotated[Token, Depends(auth)]) -> list[str]:
        orders[caller.subject].append(order.what)
        return orders[caller.subject]

    @app.delete("/orders/{owner}", status_code=204, dependencies=[Depends(auth.permission("orders.delete"))])
    async def delete(owner: str) -> None:
        if orders.pop(owner, None) is None:
            raise HTTPException(404)

    @app.post("/hooks/userd", status_code=204)
    async def happened(request: Request) -> None:
        if webhook is None:
            raise HTTPException(404)
        event = webhook.verify(await request.body(), request.headers)
        if event.type == "user.purged":
            orders.pop(event.subject, None)

    return app


def from_environment() -> FastAPI:
    env = os.environ
    userd = AsyncUserd(
        env["USERD"], env.get("USERD_AUDIENCE", "userd"),
        client_id=env["USERD_CLIENT_ID"], client_secret=env["USERD_CLIENT_SECRET"],
    )
    secret = env.get("USERD_WEBHOOK_SECRET")
    return make(userd, Webhook(secret) if secret else None)


if "USERD" in os.environ:
    app = from_environment()
