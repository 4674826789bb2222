-- Samples by numbers, not by names, and of each what may decide. Utilisation is refused for MIG instances: it is of the
-- whole GPU. Seconds are fine enough: what lies between them is the scraper's.
select
    gpu_numbers.gpu_number,
    gpu_holder_numbers.holder_number,
    cast(epoch(date_trunc('second', gpu_samples.sampled_at)) as bigint) as at_second,
    gpu_samples.sm_active_ratio,
    gpu_samples.dram_active_ratio,
    gpu_samples.tensor_active_ratio,
    gpu_samples.gr_engine_active_ratio,
    greatest(gpu_samples.encoder_active_ratio, gpu_samples.decoder_active_ratio) as video_ratio,
    case when gpu_samples.gpu_instance_id = '' then gpu_samples.gpu_util_ratio end as gpu_util_ratio,
    case when gpu_samples.xid_code between 1 and 1023 then gpu_samples.xid_code else 0 end as xid_code
from gpu_samples
inner join gpu_numbers
    on
        gpu_samples.sample_date = gpu_numbers.usage_date
        and gpu_samples.x_source = gpu_numbers.sample_source
        and gpu_samples.gpu_uuid = gpu_numbers.gpu_uuid
        and gpu_samples.gpu_instance_id = gpu_numbers.gpu_instance_id
        and gpu_samples.cluster = gpu_numbers.sample_cluster
        and coalesce(gpu_samples.hostname, '') = gpu_numbers.sample_hostname
        and coalesce(gpu_samples.instance_id, '') = gpu_numbers.sample_instance_id
        and coalesce(gpu_samples.mig_profile, '') = gpu_numbers.mig_profile
inner join gpu_holder_numbers
    on
        gpu_samples.namespace = gpu_holder_numbers.namespace
        and gpu_samples.pod = gpu_holder_numbers.pod
