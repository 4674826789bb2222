"""A Cost and Usage Report of any length, in the columns and types of AWS Data Exports, the same for the same rows.

Every value follows from a row's number by hashing. The mix is that of a company with machines for models: instances on
demand, on spot and under a savings plan with its negation, volumes, requests, traffic, Bedrock, pods that split
instances, taxes and credits. Identifiers, amounts and costs vary as in real reports, and so do the empty columns.
"""

import json
from pathlib import Path

import duckdb

from connectors.aws.bill_columns import DOCUMENTED

MONTH = "2026-09"
_PLAN = (
    "'arn:aws:savingsplans::111122223333:savingsplan/0f1e2d3c-aaaa-bbbb-cccc-12345678' || "
    "lpad((draw % 20)::varchar, 4, '0')"
)
_INSTANCES = (
    "['p5.48xlarge', 'p5en.48xlarge', 'g6e.12xlarge', 'g6.12xlarge', 'm7i.4xlarge', 'c7g.2xlarge', 'r7i.8xlarge', "
    "'t3.medium']"
)
_RATES = "[55.04, 63.296, 10.49264, 4.6016, 0.8064, 0.289, 2.1168, 0.0416]"
_REGIONS = "['us-east-1', 'us-west-2', 'eu-central-1', 'ap-northeast-1']"
_CODES = "['USE1', 'USW2', 'EUC1', 'APN1']"
_TEAMS = "['search', 'assistant', 'evals', 'platform', 'data', 'billing', 'growth', 'risk']"

# 0 on demand, 1 spot, 2 covered, 3 negation, 4 volume, 5 requests, 6 traffic, 7 model, 8 pod, 9 tax, 10 credit, 11 fee
_KIND = """case
    when mix < 12 then 0 when mix < 18 then 1 when mix < 26 then 2 when mix < 34 then 3 when mix < 50 then 4
    when mix < 68 then 5 when mix < 82 then 6 when mix < 87 then 7 when mix < 98 then 8 when mix < 99 then 9
    when draw % 2 = 0 then 10 else 11 end"""
_EC2 = "kind in (0, 1, 2, 3)"
_VALUES = {
    "bill_bill_type": "'Anniversary'",
    "bill_billing_entity": "'AWS'",
    "bill_billing_period_start_date": "timestamp '2026-09-01'",
    "bill_billing_period_end_date": "timestamp '2026-10-01'",
    "bill_invoicing_entity": "'Amazon Web Services, Inc.'",
    "bill_payer_account_id": "'111122223333'",
    "bill_payer_account_name": "'acme-payer'",
    "cost_category": "map {'unit': team, 'stage': stage}",
    "identity_line_item_id": "substr(md5(n::varchar) || md5((n + 7)::varchar), 1, 52)",
    "identity_time_interval": "strftime(hour, '%Y-%m-%dT%H:00:00Z') || '/' || strftime(hour + interval 1 hour, "
    "'%Y-%m-%dT%H:00:00Z')",
    "line_item_availability_zone": f"case when {_EC2} then region || chr(97 + (draw % 3)::int) end",
    "line_item_blended_cost": "cost",
    "line_item_blended_rate": "rate::varchar",
    "line_item_currency_code": "'USD'",
    "line_item_legal_entity": "'Amazon Web Services, Inc.'",
    "line_item_line_item_description": f"case when {_EC2} then '$' || rate || ' per Linux ' || instance || ' Instance "
    "Hour' when kind = 3 then 'SavingsPlanNegation used by AccountId : ' || account when kind = 5 then '$0.005 per "
    "1,000 PUT, COPY, POST, or LIST requests' when kind = 6 then '$0.010 per GB - regional data transfer - in/out' "
    "when kind = 9 then 'Tax for product code AmazonEC2' else product_code || ' usage in ' || region end",
    "line_item_line_item_type": "case kind when 2 then 'SavingsPlanCoveredUsage' when 3 then 'SavingsPlanNegation' "
    "when 9 then 'Tax' when 10 then 'Credit' when 11 then 'SavingsPlanRecurringFee' else 'Usage' end",
    "line_item_normalization_factor": f"case when {_EC2} then 384.0 end",
    "line_item_normalized_usage_amount": f"case when {_EC2} then amount * 384.0 end",
    "line_item_operation": f"case when {_EC2} then 'RunInstances' when kind = 4 then 'CreateVolume-Gp3' when kind = 5 "
    "then 'PutObject' when kind = 6 then 'InterZone-In' when kind = 7 then 'InvokeModelInference' when kind = 8 then "
    "'EKSPod-EC2' end",
    "line_item_product_code": "product_code",
    "line_item_resource_id": """case
        when kind in (9, 10) then null
        when kind = 7 then 'arn:aws:bedrock:' || region || ':' || account || ':application-inference-profile/'
            || substr(md5((draw % 300)::varchar), 1, 12)
        when kind = 8 then 'arn:aws:eks:' || region || ':' || account || ':pod/ml/' || team || '/vllm-'
            || substr(md5((draw % 20000)::varchar), 1, 10) || '/' || md5((draw % 20000)::varchar)
        when kind = 5 then 'acme-bucket-' || draw % 500
        else case kind when 4 then 'vol-0' else 'i-0' end || substr(md5((draw % 40000)::varchar), 1, 16) end""",
    "line_item_tax_type": "case when kind = 9 then 'USSalesTax' end",
    "line_item_unblended_cost": "cost",
    "line_item_unblended_rate": "rate::varchar",
    "line_item_usage_account_id": "account",
    "line_item_usage_account_name": "'acme-' || (draw % 40)",
    "line_item_usage_amount": "amount",
    "line_item_usage_start_date": "hour",
    "line_item_usage_end_date": "hour + interval 1 hour",
    "line_item_usage_type": """code || '-' || case
        when kind = 1 then 'SpotUsage:' || instance
        when kind in (0, 2, 3) then 'BoxUsage:' || instance
        when kind = 4 then 'EBS:VolumeUsage.gp3'
        when kind = 5 then 'Requests-Tier1'
        when kind = 6 then 'DataTransfer-Regional-Bytes'
        when kind = 7 then ['Nova2Pro', 'Claude4.6Sonnet', 'Llama3-3-70B'][draw % 3 + 1] || '-'
            || ['input', 'output'][draw % 2 + 1] || '-tokens'
        when kind = 8 then 'EKS-EC2-' || ['vCPU', 'GB', 'Accelerator'][draw % 3 + 1] || '-Hours'
        when kind = 11 then 'ComputeSP:3yrNoUpfront'
        else 'Other' end""",
    "pricing_currency": "'USD'",
    "pricing_public_on_demand_cost": "case when kind in (3, 9, 10, 11) then 0.0 else abs(cost) end",
    "pricing_public_on_demand_rate": "rate::varchar",
    "pricing_rate_code": "case when kind < 8 then upper(substr(md5((draw % 900)::varchar), 1, 16)) || "
    "'.JRTCKXETXF.6YS6EN2CT7' end",
    "pricing_rate_id": "case when kind < 8 then (17000000000 + draw % 900)::varchar end",
    "pricing_term": "case when kind < 8 then 'OnDemand' end",
    "pricing_unit": f"case when {_EC2} then 'Hrs' when kind = 4 then 'GB-Mo' when kind = 5 then 'Requests' when kind "
    "= 6 then 'GB' when kind = 7 then '1K tokens' end",
    "product": "map {'product_name': product_name, 'region': region, 'servicename': product_name, 'instance_type': "
    "instance, 'vcpu': (draw % 8 * 24)::varchar}",
    "product_from_location": "case when kind = 6 then 'US East (N. Virginia)' end",
    "product_from_region_code": "case when kind = 6 then region end",
    "product_instance_family": f"case when {_EC2} then 'GPU instance' end",
    "product_instance_type": f"case when {_EC2} and kind <> 1 then instance end",
    "product_location": "region",
    "product_location_type": "'AWS Region'",
    "product_operation": f"case when {_EC2} then 'RunInstances' end",
    "product_product_family": f"case when {_EC2} then 'Compute Instance' when kind = 4 then 'Storage' end",
    "product_region_code": "region",
    "product_servicecode": "product_code",
    "product_sku": "case when kind < 8 then upper(substr(md5((draw % 900)::varchar), 1, 16)) end",
    "product_usagetype": "code || '-' || kind",
    "resource_tags": "case when kind = 8 then map {'aws:eks:cluster-name': 'ml', 'aws:eks:namespace': team, "
    "'aws:eks:workload-name': 'vllm-' || draw % 60} when kind in (9, 10, 11) then map {} else map {'user_team': team, "
    "'user_env': stage, 'user_service': 'svc-' || draw % 300} end",
    "savings_plan_savings_plan_a_r_n": f"case when kind in (2, 3, 11) then {_PLAN} end",
    "savings_plan_savings_plan_effective_cost": "case when kind = 2 then round(cost * 0.6, 10) end",
    "savings_plan_savings_plan_rate": "case when kind = 2 then (rate * 0.6)::decimal(18, 6)::varchar end",
    "savings_plan_offering_type": "case when kind in (2, 11) then 'ComputeSavingsPlans' end",
    "savings_plan_payment_option": "case when kind in (2, 11) then 'No Upfront' end",
    "savings_plan_purchase_term": "case when kind in (2, 11) then '3yr' end",
    "savings_plan_total_commitment_to_date": "case when kind = 11 then 31.464 end",
    "savings_plan_used_commitment": "case when kind = 11 then 30.1 end",
    "split_line_item_parent_resource_id": "case when kind = 8 then 'i-0' || "
    "substr(md5((draw % 40000)::varchar), 1, 16) end",
    "split_line_item_actual_usage": "case when kind = 8 then draw % 1000 / 1000.0 end",
    "split_line_item_reserved_usage": "case when kind = 8 then (draw % 4)::double end",
    "split_line_item_split_usage": "case when kind = 8 then (draw % 4)::double end",
    "split_line_item_split_usage_ratio": "case when kind = 8 then round(draw % 997 / 997.0, 10) end",
    "split_line_item_split_cost": "case when kind = 8 then round(draw % 99991 / 9973.0, 10) end",
    "split_line_item_unused_cost": "case when kind = 8 then round(draw % 997 / 9973.0, 10) end",
    "tags": "map {'resourceTag/user_team': team}",
}


def write_parquet(folder: Path, row_count: int, files: int) -> None:
    """Writes the report as Parquet, Snappy as AWS does, in `files` files of equal rows."""
    _write(folder, row_count, files, "snappy.parquet", "format parquet, compression snappy", as_text=False)


def write_csv(folder: Path, row_count: int, files: int) -> None:
    """Writes the report as gzip CSV, labels as JSON, in `files` files of equal rows."""
    _write(folder, row_count, files, "csv.gz", "format csv, header, compression gzip", as_text=True)


def _write(folder: Path, row_count: int, files: int, ending: str, options: str, *, as_text: bool) -> None:
    target = folder / f"data/BILLING_PERIOD={MONTH}"
    target.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"memory_limit": "4GiB"}) as connection:
        for number in range(files):
            first, last = row_count * number // files, row_count * (number + 1) // files
            path = target / f"acme-{number + 1:05d}.{ending}"
            connection.execute(f"copy ({_query(first, last, as_text=as_text)}) to '{path}' ({options})")
    write_manifest(folder)


def write_manifest(folder: Path) -> None:
    """Names the report's files, as every export of AWS does at last."""
    named = [str(file.relative_to(folder)) for file in sorted((folder / f"data/BILLING_PERIOD={MONTH}").iterdir())]
    target = folder / f"metadata/BILLING_PERIOD={MONTH}/acme-Manifest.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"dataFiles": [f"s3://acme-bills/acme/{name}" for name in named]}), encoding="utf-8")


def _query(first: int, last: int, *, as_text: bool) -> str:
    columns = ", ".join(f"{_value(name, kind, as_text=as_text)} as {name}" for name, kind in DOCUMENTED.items())
    return f"""
        with drawn as (
            select n, draw, mix, {_KIND} as kind from (
                select range as n, cast(hash(range) % 1000000007 as bigint) as draw,
                    cast(hash(range + 13) % 100 as int) as mix from range({first}, {last}))
        ), told as (
            select *, {_INSTANCES}[draw % 8 + 1] as instance, {_REGIONS}[draw % 4 + 1] as region,
                {_CODES}[draw % 4 + 1] as code, {_TEAMS}[draw // 3 % 8 + 1] as team,
                ['production', 'staging'][draw % 9 // 8 + 1] as stage, (100000000000 + draw % 40)::varchar as account,
                timestamp '2026-09-01' + interval 1 hour * (draw // 11 % 720) as hour,
                case when kind in (0, 1, 2, 3) then cast({_RATES}[draw % 8 + 1] as double) else 0.0005 end as rate,
                case when kind < 4 then case when draw % 5 = 0 then round(draw % 3600 / 3600.0, 10) else 1.0 end
                    else round(cast(hash(n + 5) % 100000000 as double) / 99991.0, 10) end as amount,
                case when kind in (0, 1, 2, 3, 4) then 'AmazonEC2' when kind = 5 then 'AmazonS3' when kind = 6 then
                    'AmazonEC2' when kind = 7 then 'AmazonBedrock' when kind = 8 then 'AmazonEKS' when kind = 11 then
                    'ComputeSavingsPlans' else 'AmazonEC2' end as product_code,
                case when kind = 5 then 'Amazon Simple Storage Service' when kind = 7 then 'Amazon Bedrock' else
                    'Amazon Elastic Compute Cloud' end as product_name from drawn
        ), priced as (
            select *, round(case when kind = 8 then 0.0 when kind = 3 then -(rate * amount) when kind = 11 then 31.464
                when kind = 10 then -amount else rate * amount end, 10) as cost from told
        )
        select {columns} from priced"""


def _value(name: str, kind: str, *, as_text: bool) -> str:
    sql = _VALUES.get(name, "null")
    if as_text and kind.startswith("map"):
        return f"coalesce(to_json({sql})::varchar, '{{}}')"
    if as_text and kind == "timestamp":
        return f"strftime({sql}, '%Y-%m-%dT%H:%M:%S.000Z')"
    of_kind = {
        "string": "varchar",
        "map<string,string>": "map(varchar, varchar)",
        "map<string,double>": "map(varchar, double)",
    }
    return f"cast({sql} as {of_kind.get(kind, kind)})"
