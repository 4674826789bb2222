"""Fields of LiteLLM 1.102 that say nothing about cost, with the values that they have in this company."""

from sample.company import DOMAIN, names

ERROR: dict[str, str | None] = {
    "error_code": "529",
    "error_class": "InternalServerError",
    "llm_provider": "",
    "traceback": "",
    "error_message": "litellm.InternalServerError: upstream overloaded",
    "error_provider_request_id": None,
    "error_rate_limit_category": None,
    "error_rate_limit_type": None,
    "error_budget_entity_type": None,
    "error_budget_entity_id": None,
    "error_budget_limit": None,
    "error_budget_spend": None,
}
NO_ERROR = {key: None if value is None else "" for key, value in ERROR.items()}
AGENTS = ["User-Agent: OpenAI", "User-Agent: OpenAI/Python 2.54.0"]
HEADERS = {"host": f"gateway.eu.{DOMAIN}", "user-agent": "OpenAI/Python 2.54.0", "x-stainless-lang": "python"}

# Columns of the SpendLogs table in its order, and the keys of its metadata.
SPEND_LOG_FIELDS = dict.fromkeys(
    names(
        "request_id call_type api_key spend total_tokens prompt_tokens completion_tokens startTime endTime "
        "completionStartTime model model_id model_group custom_llm_provider api_base user metadata cache_hit cache_key "
        "request_tags team_id end_user requester_ip_address messages response proxy_server_request session_id status "
        "mcp_namespaced_tool_name agent_id request_duration_ms created_at updated_at organization_id"
    )
) | {
    "call_type": "acompletion",
    "end_user": "",
    "requester_ip_address": "10.20.0.7",
    "messages": {},
    "response": {},
    "proxy_server_request": {},
    "organization_id": "org-alder-finch",
}
SPEND_LOG_METADATA = dict.fromkeys(
    names(
        "status max_retries batch_models usage_object user_api_key cost_breakdown litellm_call_id router_metadata "
        "eval_information routing_decision attempted_retries error_information applied_guardrails autorouter_savings "
        "user_api_key_alias attempted_fallbacks compression_savings spend_logs_metadata user_api_key_org_id "
        "internal_call_origin original_model_group proxy_server_request requester_ip_address user_api_key_team_id "
        "user_api_key_user_id batch_failed_requests guardrail_information model_map_information mcp_tool_call_metadata "
        "additional_usage_values cold_storage_object_key user_api_key_project_id user_api_key_team_alias "
        "litellm_overhead_time_ms batch_successful_requests user_api_key_project_alias vector_store_request_metadata "
        "litellm_gateway_injected_cache"
    )
) | {
    "max_retries": 1,
    "attempted_retries": 0,
    "applied_guardrails": [],
    "attempted_fallbacks": 0,
    "user_api_key_org_id": "org-alder-finch",
    "requester_ip_address": "10.20.0.7",
}

# Keys of a StandardLoggingPayload in its order, and those of its metadata.
PAYLOAD_FIELDS = dict.fromkeys(
    names(
        "id litellm_call_id trace_id session_id call_type cache_hit stream status status_fields custom_llm_provider "
        "saved_cache_cost startTime endTime completionStartTime response_time model metadata cache_key response_cost "
        "cost_breakdown autorouter_savings total_tokens prompt_tokens completion_tokens request_tags "
        "request_model_access_groups end_user api_base model_group model_id requester_ip_address user_agent messages "
        "response model_parameters hidden_params model_map_information error_str error_information "
        "response_cost_failure_debug_info guardrail_information standard_built_in_tools_params"
    )
) | {
    "session_id": "",
    "call_type": "acompletion",
    "saved_cache_cost": 0,
    "request_model_access_groups": [],
    "requester_ip_address": "10.30.0.4",
    "user_agent": "OpenAI/Python 2.54.0",
    "standard_built_in_tools_params": {"web_search_options": None, "file_search": None},
}
PAYLOAD_METADATA = dict.fromkeys(
    names(
        "user_api_key_hash user_api_key_alias user_api_key_spend user_api_key_max_budget user_api_key_budget_reset_at "
        "user_api_key_user_spend user_api_key_user_max_budget user_api_key_team_spend user_api_key_team_max_budget "
        "user_api_key_team_id user_api_key_org_id user_api_key_org_alias user_api_key_project_id "
        "user_api_key_project_alias user_api_key_user_id user_api_key_team_alias user_api_key_user_email "
        "user_api_key_end_user_id user_api_key_request_route spend_logs_metadata requester_ip_address user_agent "
        "requester_metadata prompt_management_metadata applied_guardrails mcp_tool_call_metadata "
        "vector_store_request_metadata routing_decision usage_object requester_custom_headers cold_storage_object_key "
        "user_api_key_auth_metadata team_alias team_id"
    )
) | {
    "user_api_key_spend": 0,
    "user_api_key_org_id": "org-alder-finch",
    "user_api_key_request_route": "/v1/chat/completions",
    "requester_ip_address": "10.30.0.4",
    "user_agent": "OpenAI/Python 2.54.0",
    "applied_guardrails": [],
    "requester_custom_headers": {"x-stainless-lang": "python"},
    "user_api_key_auth_metadata": {"cost_center": "eu"},
}
HIDDEN_PARAMS = dict.fromkeys(
    names(
        "model_id cache_key api_base response_cost additional_headers litellm_overhead_time_ms batch_models "
        "batch_successful_requests batch_failed_requests litellm_model_name usage_object"
    )
)
