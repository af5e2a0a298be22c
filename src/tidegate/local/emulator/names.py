"""The one place that knows MiniStack's inner names: each with our word for it and the signature we rely on.

A release that moves or reshapes one of them is noticed by :func:`check`, in words, before anything starts.
"""

from __future__ import annotations

from typing import Any

from tidegate.core.errors import TidegateError
from tidegate.local.emulator.part import Part


class EmulatorChanged(TidegateError):
    """The installed MiniStack is not the one that Tidegate's local cloud was written for."""


server = Part(
    "ministack.app",
    {
        "app": ("app", "(scope, receive, send)"),
        "handlers": ("SERVICE_HANDLERS", None),
        "auth": ("AUTH", None),
        "pin_origin": ("pin_request_origin", "(source_ip, secure_transport)"),
        "savers": ("_build_persistence_save_dict", "()"),
        "api_of": ("_parse_execute_api_url", "(host, path)"),
        "function_of": ("_parse_lambda_url", "(host, path)"),
        "load_all": ("_load_persisted_state", "()"),
        "state_files": ("_state_map", None),
        "module": ("_get_module", "(name)"),
        "health": ("_handle_health_request", "(path, request_id)"),
        "sign_in_pages": ("_handle_cognito_get_request", "(method, path, headers, query_params)"),
        "sign_in": ("_handle_cognito_body_request", "(method, path, headers, body, query_params)"),
        "image_registry": ("_handle_ecr_registry_request", "(method, path, headers, body, query_params)"),
        "call_handler": (
            "call_service_handler_sync",
            "(handler, method, path, headers, body, query_params, timeout=None)",
        ),
    },
)

disk = Part(
    "ministack.core.persistence",
    {
        "encode": ("_json_default", "(obj)"),
        "decode": ("_json_object_hook", "(obj)"),
        "format_version": ("_state_format_version", "(service)"),
        "save_all": ("save_all", "(services)"),
        "load": ("load_state", "(service)"),
    },
)

step = Part(
    "ministack.services.stepfunctions",
    {
        "Failure": ("_ExecutionError", "(error, cause)"),
        "machines": ("_state_machines", None),
        "executions": ("_executions", None),
        "task_tokens": ("_task_tokens", None),
        "wait_scale": ("_SFN_WAIT_SCALE", None),
        "sdk_services": ("_AWS_SDK_SERVICE_MAP", None),
        "sdk_prefixes": ("_AWS_SDK_ERROR_PREFIX", None),
        # replaced by ours
        "run_execution": ("_run_execution", "(exec_arn)"),
        "run_sub_machine": ("_run_sub_machine", "(states, start_at, input_data, execution, ctx)"),
        "stop_execution": ("_stop_execution", "(data)"),
        "machine_of": ("_resolve_state_machine_arn", None),
        "start_execution": ("_start_execution", "(data)"),
        "start_sync_execution": ("_start_sync_execution", "(data)"),
        "restore": ("_restore_state", "(data)"),
        "add_event": ("_add_event", "(execution, event_type, details=None)"),
        "sleep": ("_scaled_sleep", "(seconds)"),
        "assign": ("_apply_state_assign", "(state_def, raw_input, ctx, result=None, error_output=None)"),
        "matches": ("_error_matches", "(error_equals, error)"),
        "invoke": ("_invoke_resource", "(resource, input_data)"),
        "prefix_sdk_error": ("_prefix_sdk_error", "(service_name, error_code)"),
        # used as they are
        "call_lambda": ("_call_lambda", "(func_ref, event)"),
        "invoke_with_callback": ("_invoke_with_callback", "(resource, input_data, token, state_def)"),
        "lambda_of": ("_extract_lambda_ref", "(resource)"),
        "announce": ("_emit_execution_status_event", "(execution)"),
        "run_pass": ("_execute_pass", "(state_def, raw_input, ctx=None)"),
        "run_choice": ("_execute_choice", "(state_def, raw_input, ctx=None)"),
        "run_wait": ("_execute_wait", "(state_def, raw_input, ctx=None)"),
        "run_distributed_map": (
            "_run_distributed_map",
            "(state_def, raw_input, effective, iterator, execution, ctx)",
        ),
        "fail_error": ("_fail_state_error", "(state_def, raw_input, ctx=None)"),
        "input_path": ("_apply_input_path", "(state_def, data, ctx=None)"),
        "output_path": ("_apply_output_path", "(state_def, data, ctx=None)"),
        "parameters": ("_apply_parameters", "(state_def, data, ctx=None)"),
        "result_selector": ("_apply_result_selector", "(state_def, data)"),
        "result_path": ("_apply_result_path", "(state_def, original, result)"),
        "resolve_parameters": ("_resolve_params_obj", "(template, data, ctx=None)"),
        "resolve_path": ("_resolve_path_or_ctx", "(path, data, ctx)"),
        "language": ("_state_query_language", "(state_def, ctx=None)"),
        "arguments": ("_apply_jsonata_arguments", "(state_def, raw_input, ctx=None)"),
        "output": (
            "_apply_jsonata_output",
            "(state_def, raw_input, ctx=None, result=None, error_output=None, default=None)",
        ),
        "template": (
            "_apply_jsonata_template",
            "(value, raw_input, ctx=None, result=None, error_output=None)",
        ),
        "field": ("_jsonata_state_field", "(state_def, field, expected, raw_input, ctx)"),
        "retrier": ("_find_matching_retrier", "(retriers, error, retry_counts)"),
        "catcher": ("_find_matching_catcher", "(catchers, error)"),
        "caught": ("_apply_catcher", "(catcher, raw_input, ctx, query_language, error_output)"),
        "next_of": ("_next_or_end", "(state_def)"),
    },
)

functions = Part(
    "ministack.services.lambda_svc",
    {
        "run_warm": ("_execute_function_warm", "(func, event, request_id)"),
        "record_of": ("_get_func_record_for_ref", None),
        "execution_record": ("_execution_record_for_config", "(func, config)"),
        "route_failure": ("_route_async_failure", "(target_arn, func_name, event, result)"),
        "most_at_once": ("_ACCOUNT_CONCURRENCY_CAP", None),
        "at_work": ("executions_in_flight", "()"),
        "take_slot": ("_acquire_execution_slot", "(func, config)"),
        "peak_memory": ("_probe_peak_memory_mb", "(func)"),
        "code_address": ("_presigned_code_url", "(func_name)"),
        "layer_address": ("_layer_content_url", "(layer_name, version)"),
        "run_scoped": ("_execute_function_with_config_scope", "(func, event)"),
        "write_log": (
            "_emit_lambda_logs",
            "(func, request_id, log_text, error, duration_ms, *, log_source=None)",
        ),
    },
)

runtime = Part(
    "ministack.core.lambda_runtime",
    {"workers": ("_workers", None), "Worker": ("Worker", "(func_name, config, code_zip)")},
)

glue = Part(
    "ministack.services.glue",
    {
        "jobs": ("_jobs", None),
        "runs": ("_job_runs", None),
        "start_job_run": ("_start_job_run", "(data)"),
        "get_job_run": ("_get_job_run", "(data)"),
        "batch_stop": ("_batch_stop_job_run", "(data)"),
        "answer": ("json_response", None),
        "error": ("error_response_json", None),
    },
)

gateway = Part(
    "ministack.services.apigateway",
    {
        "invoke_function": (
            "_invoke_lambda_proxy",
            "(integration, api_id, stage, path, method, headers, body, query_params, route_key='$default', "
            "path_params=None, *, authorizer_claims=None, authorizer_scopes=None, "
            "authorizer_lambda_context=None, authorizer_iam=None, owner_account_id=None, owner_region=None, "
            "raw_query_string=None)",
        ),
    },
)

buses = Part(
    "ministack.services.eventbridge",
    {
        "put_events": ("_put_events", "(data, allow_aws_source=False)"),
        "dispatch": ("_dispatch_event", "(event, view=None)"),
        "invoke_target": ("_invoke_target", "(target, event, rule, view=None)"),
        "to_function": ("_dispatch_to_lambda", "(arn, payload)"),
        "to_machine": ("_dispatch_to_stepfunctions", "(arn, payload)"),
        "log": ("_events_log_list", "()"),
    },
)

tables = Part(
    "ministack.services.dynamodb",
    {
        "put_item": ("_put_item", "(data)"),
        "update_item": ("_update_item", "(data)"),
        "delete_item": ("_delete_item", "(data)"),
        "batch_write": ("_batch_write_item", "(data)"),
        "transact_write": ("_transact_write_items", "(data)"),
        "execute_statement": ("_execute_statement", "(data)"),
        "set_item": ("_set_item", "(table, pk_val, sk_val, item)"),
        "remove_item": ("_remove_item", "(table, pk_val, sk_val)"),
        "all": ("_tables", None),
    },
)

objects = Part(
    "ministack.services.s3",
    {
        "notifications": ("_bucket_notifications", None),
        "fire_async": (
            "_fire_s3_event_async",
            "(bucket_name, key, event_name, size=0, etag='', deletion_type=None, version_id=None, "
            "object_extra=None, record_extra=None)",
        ),
        "fire": (
            "_fire_s3_event",
            "(bucket_name, key, event_name, size=0, etag='', deletion_type=None, restore_event_data=None, "
            "version_id=None, sequencer=None, object_extra=None, record_extra=None)",
        ),
        "next_sequencer": ("_next_event_sequencer", "(event_name)"),
        "tags": ("_object_tags", None),
        "encryptions": ("_bucket_encryption", None),
        "encryption_by_default": ("_bucket_default_sse_headers", "(bucket_name)"),
        "get": ("_get_object", "(bucket_name, key, headers, query_params=None)"),
        "parse_range": ("_parse_range", "(range_header, total)"),
        "encryption_of": ("_resolve_sse_write_headers", "(headers, bucket_name)"),
        "list": ("_list_objects_v2", "(bucket_name, query_params)"),
        "list_first_way": ("_list_objects_v1", "(bucket_name, query_params)"),
        "list_versions": ("_list_object_versions", "(bucket_name, query_params)"),
        "persist": ("_persist_object", "(bucket, key, obj)"),
        "versions": ("_object_versions", None),
        "buckets": ("_buckets", None),
        "version_on_disk": ("_version_file_exists", "(bucket_name, key, version_id, account_id=None)"),
    },
)

logs = Part(
    "ministack.services.cloudwatch_logs",
    {
        "groups": ("_log_groups", None),
        "records": ("_log_records", None),
        "filter": ("_filter_log_events", "(data)"),
        "group_of": ("_resolve_log_group_name", "(data)"),
        "answer": ("json_response", None),
        "error": ("error_response_json", None),
        "collect": ("_collect_query_records", "(group_names, start_time_s, end_time_s)"),
    },
)

metrics = Part(
    "ministack.services.cloudwatch",
    {
        "points": ("_metrics", None),
        "evict": ("_evict_old_metrics", "()"),
        "points_of": ("_metric_bucket", "(key)"),
        "dimensions_key": ("_dims_key", "(dims)"),
        "store": (
            "_store_datum",
            "(namespace, name, dims, ts, unit, value, values, counts, stat_values)",
        ),
        "record": ("record_metric", "(namespace, metric_name, value, unit='None', dimensions=None)"),
        "statistics": ("_calc_stats", "(points)"),
        "statistic": ("_stat_value", "(stats, stat_name, points=None)"),
        "alarms": ("_alarms", None),
        "changes": ("_history_entries", "()"),
        "evaluate": ("_evaluate_alarm", "(alarm)"),
        "act": ("_dispatch_alarm_actions", "(alarm, old_state, new_state, reason)"),
        "note": (
            "_record_history",
            "(alarm_name, old_state, new_state, reason, alarm_type='MetricAlarm', reason_data=None)",
        ),
    },
)

parameters = Part("ministack.services.ssm", {"history": ("_parameter_history", None)})

policies = Part(
    "ministack.core.iam_evaluator",
    {
        "enforce": (
            "enforce",
            "(access_key_id, iam_action, service, region, resource_arn='*', service_context=None)",
        ),
        "evaluate": ("evaluate", "(ctx, policies, *limits)"),
        "of_role": ("_gather_role_policies", "(role_name, account_id)"),
        "parse": ("parse_policy_document", "(doc)"),
        "trusts": ("evaluate_trust_policy", "(trust_doc, caller_arn, ctx=None)"),
        "Question": ("EvalContext", None),
        "credential": ("resolve_credential", None),
        "UnknownCredential": ("CredentialResolutionError", "(code, message)"),
        "CredentialError": ("AuthError", "(code, message, details=<factory>)"),
    },
)

actions = Part(
    "ministack.core.iam_actions",
    {
        "resource_of": (
            "extract_resource_arn",
            "(service, method, path, headers, body, query_params, region, account_id)",
        ),
        "action_of": ("extract_iam_action", "(service, method, path, headers, body, query_params)"),
        "refuse": (
            "access_denied_response",
            "(service, action, principal_arn, request_id, *, error_code='', message='', headers=None, "
            "resource_arn='*', explicit_deny=False, resource_policy_arn='')",
        ),
        "denial": ("identity_denial_message", "(action, principal_arn, resource, explicit_deny)"),
        "request_keys": ("request_tag_context", "(service, iam_action, body, params)"),
    },
)

identities = Part("ministack.services.iam", {"roles": ("_roles", None)})

sessions = Part("ministack.services.sts", {"register": ("register_session", "(access_key, session)")})

stacks = Part(
    "ministack.services.cloudformation.provisioners",
    {"machine_definition": ("_sfn_definition", "(props)"), "kinds": ("_RESOURCE_HANDLERS", None)},
)

deployments = Part(
    "ministack.services.cloudformation.stacks",
    {
        "make": ("_provision_resource", "(resource_type, logical_id, props, stack_name)"),
        "seed": ("_NAME_SEED", None),
    },
)

router = Part(
    "ministack.core.router",
    {
        "patterns": ("SERVICE_PATTERNS", None),
        "access_key": ("extract_access_key_id", "(headers, query_params=None)"),
    },
)

queues = Part("ministack.services.sqs", {"all": ("_queues", None), "count": ("_refresh_counts", "(q)")})

topics = Part("ministack.services.sns", {"all": ("_topics", None)})

answers = Part(
    "ministack.core.responses",
    {
        "now": ("now_iso", "()"),
        "account": ("get_account_id", "()"),
        "region": ("get_region", "()"),
        "new_id": ("new_uuid", "()"),
    },
)

_PARTS = (
    server,
    router,
    stacks,
    deployments,
    topics,
    disk,
    step,
    functions,
    runtime,
    glue,
    gateway,
    buses,
    tables,
    objects,
    logs,
    metrics,
    parameters,
    policies,
    actions,
    identities,
    sessions,
    queues,
    answers,
)

# Where the emulator's stores by account and region keep their entries.
_ENTRIES = "_data"


def hold_in(store: object, entries: dict[Any, Any]) -> None:
    """Have a store of the emulator keep what it has, by account, region and name, in a mapping of ours."""
    if not isinstance(getattr(store, _ENTRIES, None), dict):
        raise EmulatorChanged(
            f"{type(store).__name__} has no dictionary {_ENTRIES}: adapt emulator/names.py."
        )
    entries.update(getattr(store, _ENTRIES))
    setattr(store, _ENTRIES, entries)


def check() -> None:
    """Raise :class:`EmulatorChanged` when the installed MiniStack lacks something we rely on."""
    problems = [problem for part in _PARTS for problem in part.problems()]
    if problems:
        from importlib.metadata import version

        raise EmulatorChanged(
            f"MiniStack {version('ministack')} is not the release that the local cloud was written for: "
            + "; ".join(problems)
            + ". Install the release named in pyproject.toml, or adapt src/tidegate/local/emulator/names.py."
        )
