"""Runs inside of the gateway: who a key belongs to, without a database. Every field of a person holds a canary."""

from fastapi import Request
from litellm.proxy._types import UserAPIKeyAuth

KEYS = {"sk-team-search": ("team-search", "Search Team"), "sk-team-support": ("team-support", "Support")}


async def user_api_key_auth(request: Request, api_key: str) -> UserAPIKeyAuth:
    team_id, team_alias = KEYS[api_key]
    return UserAPIKeyAuth(
        api_key=api_key,
        key_alias=f"{team_id}-key",
        team_id=team_id,
        team_alias=team_alias,
        user_id="canary-user@corp.test",
        user_email="canary-email@corp.test",
        org_id="org-1",
        metadata={"cost_center": "canary-key-metadata"},
        team_metadata={"note": "canary-team-metadata"},
    )
