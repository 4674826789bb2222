"""Runs inside of the gateway: what LiteLLM's own logger and writer would put into its database, as JSON lines.

The gateway has no database here: its database's client downloads a program when it is installed. So LiteLLM's writer is
stopped where it hands a row over, and the row is kept.
"""

import json
import os
from pathlib import Path
from types import SimpleNamespace

from litellm.proxy import proxy_server
from litellm.proxy.db.db_spend_update_writer import DBSpendUpdateWriter
from litellm.proxy.hooks.proxy_track_cost_callback import _ProxyDBLogger
from litellm.proxy.utils import PrismaClient

TARGET = Path(os.environ["GATEWAY_CAPTURE"])


class Writer(DBSpendUpdateWriter):
    async def _record_spend_log(self, payload: dict, **_: object) -> bool:
        client = SimpleNamespace(get_request_status=lambda row: PrismaClient.get_request_status(None, row))
        daily = await self._common_add_spend_log_transaction_to_daily_transaction(payload, client, "user")
        with TARGET.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"row": payload, "daily": daily}, default=str) + "\n")
        return False  # whoever called it writes nothing else either


proxy_server.proxy_logging_obj.db_spend_update_writer = Writer()
capture = _ProxyDBLogger()
