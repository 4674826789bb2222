"""Runs inside of the gateway: what LiteLLM's own writer would put into its database, as JSON lines.

The gateway cannot write there itself: its database client downloads a program when it is installed. The rows are those
of `get_logging_payload`, the daily amounts those of the writer of the daily tables.
"""

import json
import os
from datetime import UTC, datetime
from types import SimpleNamespace

from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy.db.db_spend_update_writer import DBSpendUpdateWriter
from litellm.proxy.spend_tracking.spend_tracking_utils import get_logging_payload
from litellm.proxy.utils import PrismaClient

TARGET = os.environ["GATEWAY_CAPTURE"]


class Capture(CustomLogger):
    async def _write(self, kwargs: dict, response: object, start: object, end: object) -> None:
        now = datetime.now(UTC)  # a failure has no end
        row = get_logging_payload(kwargs, response, start or now, end or now)
        client = SimpleNamespace(get_request_status=lambda payload: PrismaClient.get_request_status(None, payload))
        writer = DBSpendUpdateWriter()
        daily = await writer._common_add_spend_log_transaction_to_daily_transaction(row, client, "user")
        payload = kwargs.get("standard_logging_object")
        with open(TARGET, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(json.dumps({"row": row, "daily": daily, "payload": payload}, default=str) + "\n")

    async def async_log_success_event(
        self, kwargs: dict, response_obj: object, start_time: object, end_time: object
    ) -> None:
        await self._write(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: dict, response_obj: object, start_time: object, end_time: object
    ) -> None:
        await self._write(kwargs, response_obj, start_time, end_time)


capture = Capture()
